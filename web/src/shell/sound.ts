// Two soft notes, made by the browser itself: no file to load.

const NOTES = [
  { hertz: 587.33, at: 0 },
  { hertz: 880, at: 0.11 },
];
const LOUDNESS = 0.12;
let context: AudioContext | null = null;

export function playSound(): void {
  try {
    context ??= new AudioContext();
    void context.resume(); // browsers let no page sound that nobody has touched yet
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
