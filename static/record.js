// Records from the microphone into the file field of the form, which is sent like any chosen file; one
// that is dropped on the form is chosen.
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
  const busy = (is) => { send.disabled = is; say(is ? form.dataset.busy : ""); };
  // A page that tells how far it is sends by itself: what was recorded stays where the link breaks.
  const sent = part("sent");
  const upload = (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    const lost = (words) => { busy(false); sent.hidden = true; say(words || form.dataset.lost); };
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (now) => { if (now.total) sent.value = now.loaded / now.total; });
    request.addEventListener("error", () => lost());
    request.addEventListener("load", () => {
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      if (request.status < 400 && request.responseURL.startsWith(form.action.replace(/\/recording$/, ""))) { form.reset(); location.assign(request.responseURL); }
      else lost(page.querySelector("[role=alert]")?.textContent);
    });
    sent.hidden = false;
    request.send(new FormData(form));
  };
  form.addEventListener("submit", (event) => { if (sent) upload(event); busy(true); });
  const take_in = (list) => {
    file.files = list;
    URL.revokeObjectURL(take.src);
    take.src = URL.createObjectURL(list[0]);
    form.querySelector(".recorder").hidden = take.hidden = false;
  };
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("drop"); });
  form.addEventListener("dragleave", () => form.classList.remove("drop"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("drop");
    if (event.dataTransfer.files.length) take_in(event.dataTransfer.files);
  });
  addEventListener("pageshow", () => { send.disabled = false; });
  if (!navigator.mediaDevices || !window.MediaRecorder) return;
  const seconds_max = 15 * 60;
  let recorder = null, began = 0, timer = 0, context = null;
  form.querySelector(".recorder").hidden = false;
  const show = (recording) => {
    start.hidden = recording; stop.hidden = level.hidden = !recording;
    form.dataset.unsent = recording ? "still" : "";
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
      take_in(list.files);
    });
    began = performance.now();
    recorder.start(1000);
    watch(stream);
    show(true);
    stop.focus();
  });
  stop.addEventListener("click", () => recorder.stop());
})();
