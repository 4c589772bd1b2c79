// (being written)

/** The most items that a stretch has. */
export const WINDOW = 400;
