// Version 1.1.1, which ioredis depends on, has no types of its own.
declare module 'cluster-key-slot' {
  export default function calculateSlot(name: string | Buffer): number;
}
