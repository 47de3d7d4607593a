/** Resolves as soon as `condition` holds; fails after `deadline` milliseconds of real time. */
export const eventually = async (condition: () => boolean, what: string, deadline = 60_000): Promise<void> => {
  const end = performance.now() + deadline
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not happen within ${deadline} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}

/** Lets come what this process sends to itself over loopback: turns of its loop, however long each of them takes. */
export const settle = async (): Promise<void> => {
  await new Promise(resolve => setTimeout(resolve, 2))
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
}
