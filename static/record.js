// Records from the microphone into the file field of the form, which is sent like any chosen file.
// Without this script, or without a microphone, a file is chosen.
"use strict";
(() => {
  const form = document.querySelector("[data-recorder]");
  if (!form) return;
  const part = (name) => form.querySelector(`[data-${name}]`);
  const file = form.querySelector("input[type=file]");
  const [start, stop, time, level, take, said, send] =
    ["start", "stop", "time", "level", "take", "said", "send"].map(part);
  const say = (text) => { said.textContent = text || ""; };
  form.addEventListener("submit", () => { send.disabled = true; say(form.dataset.busy); });
  addEventListener("pageshow", () => { send.disabled = false; });
  if (!navigator.mediaDevices || !window.MediaRecorder) return;
  const seconds_max = 15 * 60;
  let recorder = null, began = 0, timer = 0, context = null;
  form.querySelector(".recorder").hidden = false;
  const show = (recording) => {
    start.hidden = recording; stop.hidden = level.hidden = !recording;
  };
  const watch = (stream) => {
    context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const meter = level.querySelector("meter");
    timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      meter.value = Math.max(...samples.map(Math.abs));
      const passed = Math.floor((performance.now() - began) / 1000);
      time.textContent = `${Math.floor(passed / 60)}:${String(passed % 60).padStart(2, "0")}`;
      if (passed >= seconds_max) recorder.stop();
    }, 100);
  };
  start.addEventListener("click", async () => {
    say("");
    let stream;
    // What the station hears is what was said: no filter of the browser comes before its own.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    try { stream = await navigator.mediaDevices.getUserMedia({ audio }); }
    catch { say(form.dataset.refused); return; }
    recorder = new MediaRecorder(stream);
    const parts = [];
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      clearInterval(timer);
      context.close();
      stream.getTracks().forEach((track) => track.stop());
      show(false);
      const kind = recorder.mimeType.split(";")[0];
      const blob = new File(parts, "thu-am." + kind.split("/")[1], { type: kind });
      const list = new DataTransfer();
      list.items.add(blob);
      file.files = list.files;
      URL.revokeObjectURL(take.src);
      take.src = URL.createObjectURL(blob);
      take.hidden = false;
    });
    began = performance.now();
    recorder.start(1000);
    watch(stream);
    show(true);
    stop.focus();
  });
  stop.addEventListener("click", () => recorder.stop());
})();
