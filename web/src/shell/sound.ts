// Two soft notes, made by the browser itself: no file to load.

const NOTES = [
  { hertz: 587.33, at: 0 },
  { hertz: 880, at: 0.11 },
];
const LOUDNESS = 0.12;
/** A sound that comes later than this tells nobody anything. */
const LATEST_MS = 1500;
let context: AudioContext | null = null;

export async function playSound(): Promise<void> {
  const asked = Date.now();
  try {
    context ??= new AudioContext();
    // Browsers let no page sound that nobody has touched yet, and let it go on at the first touch: all that was held
    // back would then sound at once.
    if (context.state !== 'running') await context.resume();
    if (Date.now() - asked > LATEST_MS) return;
    for (const note of NOTES) play(context, note.hertz, context.currentTime + note.at);
  } catch {
    // No sound on this machine: the notification is there all the same.
  }
}

function play(audio: AudioContext, hertz: number, at: number): void {
  const tone = new OscillatorNode(audio, { type: 'sine', frequency: hertz });
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(LOUDNESS, at + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.35);
  tone.connect(gain).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 0.4);
}
