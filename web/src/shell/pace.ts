// Doing at most so often what is costly: the last wish counts.

/** Runs `run` with the latest value, at once after a rest, and else once each `ms`. */
export function paced<T>(ms: number, run: (value: T) => void): (value: T) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting: { value: T } | null = null;

  function rest() {
    timer = undefined;
    if (waiting === null) return;
    const { value } = waiting;
    waiting = null;
    timer = setTimeout(rest, ms);
    run(value);
  }
  return (value) => {
    waiting = { value };
    if (timer === undefined) rest();
  };
}
