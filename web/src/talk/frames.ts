// Many changes, drawn once a frame.

/** Calls `run` once before the next frame, or soon if the page is hidden and has no frames. */
export function eachFrame(run: () => void): { ask: () => void; stop: () => void } {
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const go = (): void => {
    stop();
    run();
  };
  const stop = (): void => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = 0;
    timer = undefined;
  };
  const ask = (): void => {
    if (frame !== 0 || timer !== undefined) return;
    // A page may be hidden after asking for a frame: the timer is there for that, too.
    if (!document.hidden) frame = requestAnimationFrame(go);
    timer = setTimeout(go, 250);
  };
  return { ask, stop };
}

/** After the next frame, in which what was asked for before this is drawn. */
export function afterFrame(): Promise<void> {
  return new Promise((resolve) => eachFrame(() => resolve()).ask());
}
