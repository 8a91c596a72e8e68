#!/usr/bin/env bash
# Makes every recording of audio-samples/ anew. Run: bash audio-samples/make.sh
#
# Needs espeak-ng, sox and ffmpeg. Nothing is fetched, nothing is random: with the same versions of the three
# tools, the same bytes come out each time. Made with espeak-ng 1.51, sox 14.4.2 and ffmpeg 5.1 (libmp3lame 3.100).
#
# What is what:
#   *.vi.*    Vietnamese, read by the espeak-ng voice `vi`: synthetic, but the language it says it is.
#   others    STAND-INS. No usable speech synthesis exists for Mông, Thái, Dao or Hà Nhì, so a marker melody and
#             numbers counted in a far-off language take their place. They are not speech of those languages.
#             The shape and timbre of the melody tell the language, its key tells the bulletin.
# Levels, channels, rates and containers differ on purpose: making them alike is the work of the program.
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")"
mkdir -p hard
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# sox without dither and with its repeatable mode: dither is noise, and noise would differ from run to run.
sx() { sox -R -D --no-show-progress "$@"; }
# ffmpeg without dates, encoder names or threads in the output.
ff() { ffmpeg -nostdin -hide_banner -loglevel error -y -threads 1 "$@"; }

# say VOICE PITCH WORDS_A_MINUTE TEXT OUT: speech at 22,050 Hz, silence cut from both ends.
say() {
  espeak-ng -v "$1" -p "$2" -s "$3" -w "$tmp/raw.wav" "$4"
  sx "$tmp/raw.wav" "$5" silence 1 0.01 0.3% reverse silence 1 0.01 0.3% fade t 0.03 reverse fade t 0.005
}

# melody OUT WAVEFORM NOTE_SECONDS HZ...: notes one after the other, each with a soft edge, below the speech's level.
melody() {
  local out=$1 wave=$2 length=$3 hz notes=() i=0
  shift 3
  for hz in "$@"; do
    i=$((i + 1))
    sx -n -r 22050 -b 16 -c 1 "$tmp/note$i.wav" synth "$length" "$wave" "$hz" gain -9 lowpass 3000 fade t 0.01 "$length" 0.03 gain -n -9
    notes+=("$tmp/note$i.wav")
  done
  sx "${notes[@]}" "$out"
}

# stand_in OUT MELODY SPEECH: the melody, a breath of 120 ms, then the speech at a peak of -3 dBFS.
stand_in() {
  sx "$2" "$tmp/head.wav" pad 0 0.12
  sx "$3" "$tmp/tail.wav" gain -n -3
  sx "$tmp/head.wav" "$tmp/tail.wav" "$1"
}

# exactly SECONDS IN OUT: the same length to the sample, with silence added behind; speech is never cut.
exactly() {
  local have want
  have=$(soxi -s "$2")
  want=$(awk -v s="$1" 'BEGIN { printf "%d", s * 22050 + 0.5 }')
  if ((have > want)); then
    echo "${2##*/}: $have samples of sound do not fit into $want ($1 s); shorten the text" >&2
    exit 1
  fi
  sx "$2" "$3" pad 0 "$((want - have))s"
}

# ---- Bulletin phong-chong-sat-lo (landslide prevention), five versions --------------------------------------------
b=phong-chong-sat-lo

# vi: plain mono WAV, peak -12 dBFS. The text is the script in bulletins.toml.
say vi 45 175 "Bà con chú ý! Mưa lớn kéo dài, hãy rời xa sườn dốc, đề phòng sạt lở." "$tmp/vi1.wav"
exactly 4.8 "$tmp/vi1.wav" "$tmp/vi1x.wav"
sx "$tmp/vi1x.wav" -b 16 $b.vi.wav gain -n -12

# mww stand-in: three rising notes, then Esperanto counting one to six. Hot: peak -0.1 dBFS.
melody "$tmp/mww1m.wav" sine 0.22 523.25 659.26 783.99
say eo 75 150 "unu, du, tri, kvar, kvin, ses" "$tmp/mww1s.wav"
stand_in "$tmp/mww1.wav" "$tmp/mww1m.wav" "$tmp/mww1s.wav"
exactly 3.9 "$tmp/mww1.wav" "$tmp/mww1x.wav"
sx "$tmp/mww1x.wav" -b 16 $b.mww.wav gain -n -0.1

# twh stand-in: two long falling notes, then Finnish. Faint: peak -30 dBFS. FLAC.
melody "$tmp/twh1m.wav" triangle 0.38 987.77 587.33
say fi 25 150 "yksi, kaksi, kolme, neljä" "$tmp/twh1s.wav"
stand_in "$tmp/twh1.wav" "$tmp/twh1m.wav" "$tmp/twh1s.wav"
exactly 3.8 "$tmp/twh1.wav" "$tmp/twh1x.wav"
sx "$tmp/twh1x.wav" -b 16 "$tmp/twh1q.wav" gain -n -30
ff -i "$tmp/twh1q.wav" -map_metadata -1 -fflags +bitexact -flags:a +bitexact -c:a flac -compression_level 8 $b.twh.flac

# ium stand-in: one note knocked four times, then Swahili. Stereo at 16 kHz, the right side 6 dB below the left.
melody "$tmp/ium1m.wav" square 0.15 739.99 739.99 739.99 739.99
say sw 90 165 "moja, mbili, tatu, nne, tano" "$tmp/ium1s.wav"
stand_in "$tmp/ium1.wav" "$tmp/ium1m.wav" "$tmp/ium1s.wav"
exactly 3.7 "$tmp/ium1.wav" "$tmp/ium1x.wav"
sx "$tmp/ium1x.wav" -r 16000 -b 16 -c 2 $b.ium.wav gain -n -8 remix 1 1v0.5

# hni stand-in: five quick notes up and down, then Maori. One second of digital silence in front; peak -16 dBFS.
melody "$tmp/hni1m.wav" sawtooth 0.13 440.00 554.37 698.46 554.37 440.00
say mi 10 165 "tahi, rua, toru, whā, rima" "$tmp/hni1s.wav"
stand_in "$tmp/hni1.wav" "$tmp/hni1m.wav" "$tmp/hni1s.wav"
exactly 3.5 "$tmp/hni1.wav" "$tmp/hni1x.wav"
sx "$tmp/hni1x.wav" -b 16 $b.hni.wav gain -n -16 pad 1.0 0

# ---- Bulletin lich-tiem-chung (vaccination day), three versions; ium and hni are lacking on purpose ---------------
b=lich-tiem-chung

# vi: MP3, mono, 64 kbit/s.
say vi 55 160 "Trạm y tế xã tiêm chủng cho trẻ em, vào sáng thứ ba tuần này." "$tmp/vi2.wav"
exactly 4.2 "$tmp/vi2.wav" "$tmp/vi2x.wav"
sx "$tmp/vi2x.wav" -b 16 "$tmp/vi2q.wav" gain -n -6
ff -i "$tmp/vi2q.wav" -map_metadata -1 -fflags +bitexact -flags:a +bitexact -id3v2_version 0 -c:a libmp3lame -b:a 64k $b.vi.mp3

# mww stand-in: the three rising notes a minor third higher, then Esperanto counting on. Telephone quality: 8 kHz.
melody "$tmp/mww2m.wav" sine 0.22 622.25 831.61 932.33
say eo 80 150 "sep, ok, naŭ, dek, cent, mil" "$tmp/mww2s.wav"
stand_in "$tmp/mww2.wav" "$tmp/mww2m.wav" "$tmp/mww2s.wav"
exactly 4.1 "$tmp/mww2.wav" "$tmp/mww2x.wav"
sx "$tmp/mww2x.wav" -r 8000 -b 16 $b.mww.wav gain -n -4

# twh stand-in: the two long falling notes a whole tone lower, then Finnish counting on. Peak -20 dBFS.
melody "$tmp/twh2m.wav" triangle 0.38 880.00 493.88
say fi 30 150 "kuusi, seitsemän, kahdeksan, yhdeksän" "$tmp/twh2s.wav"
stand_in "$tmp/twh2.wav" "$tmp/twh2m.wav" "$tmp/twh2s.wav"
exactly 4.3 "$tmp/twh2.wav" "$tmp/twh2x.wav"
sx "$tmp/twh2x.wav" -b 16 $b.twh.wav gain -n -20

# ---- Hard cases: what people upload by mistake --------------------------------------------------------------------
say vi 45 165 "Đây là đoạn ghi âm dùng để thử, không phải bản tin." "$tmp/test.wav"
exactly 3.0 "$tmp/test.wav" "$tmp/testx.wav"

# A text under an audio file's name.
printf '%s\n' 'Đây là văn bản của bản tin, lưu nhầm với đuôi .wav. Không có âm thanh nào ở đây.' \
  'This is the text of a bulletin saved by mistake with the ending .wav. There is no sound in it.' > hard/not-audio.wav

# Two seconds of digital silence: a microphone that was not plugged in.
sx -n -r 22050 -b 16 -c 1 hard/silence.wav trim 0 2.0

# Speech with the right channel turned over: a wrongly wired cable. Its mono sum is silence.
sx "$tmp/testx.wav" -r 16000 -b 16 -c 2 hard/antiphase.wav gain -n -6 remix 1 1v-1

# One tenth of a second: a slip of the finger on the record button.
sx "$tmp/testx.wav" -b 16 hard/too-short.wav gain -n -6 trim 0.3 0.1

# An MP3 whose upload broke off: its header still promises three seconds.
sx "$tmp/testx.wav" -b 16 "$tmp/testq.wav" gain -n -6
ff -i "$tmp/testq.wav" -map_metadata -1 -fflags +bitexact -flags:a +bitexact -id3v2_version 0 -c:a libmp3lame -b:a 64k "$tmp/whole.mp3"
head -c 9000 "$tmp/whole.mp3" > hard/truncated.mp3

# Speech driven 18 dB into full scale: a recorder turned up too far. The warning of sox about clipping is the point.
sx "$tmp/testx.wav" -b 16 hard/clipped.wav gain -n 0 gain 18 2> /dev/null
