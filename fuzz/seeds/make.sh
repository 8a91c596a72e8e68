#!/bin/sh
# Makes the seeds of the target `sound`: a fifth of a second of two tones in each format. Tones made by a formula are
# nobody's work. Needs ffmpeg.
set -eu
cd "$(dirname "$0")" && mkdir -p sound
tones='0.25*sin(2*PI*440*t)+0.1*sin(2*PI*1230*t)'
one="aevalsrc=exprs=$tones:s=16000:d=0.2:c=mono"
two="aevalsrc=exprs=$tones|0.5*($tones):s=16000:d=0.2:c=stereo"
six="aevalsrc=exprs=$tones|$tones|$tones|$tones|$tones|$tones:s=48000:d=0.1:c=5.1"
film='testsrc=s=16x16:d=0.2:r=5'
ff() { ffmpeg -v error -nostdin -y -fflags +bitexact -f lavfi -i "$@"; }
for codec in pcm_u8 pcm_s16le pcm_s24le pcm_s32le pcm_f32le pcm_f64le pcm_alaw pcm_mulaw adpcm_ms; do
  ff "$one" -c:a "$codec" "sound/$codec.wav"
done
ff "$six" -ar 8000 sound/six.wav
ff "$two" sound/two.flac
ff "$two" -c:a flac sound/flac.oga
ff "$one" -c:a libmp3lame -b:a 32k -metadata title=Loa sound/tagged.mp3
ff "$one" -c:a libmp3lame -q:a 9 -write_xing 0 -id3v2_version 0 sound/bare.mp3
ff "$one" -c:a mp2 -b:a 32k sound/layer2.mp2
ff "$one" -c:a aac -b:a 24k sound/adts.aac
ff "$two" -c:a aac -b:a 24k sound/aac.m4a
ff "$two" -c:a aac -b:a 24k -movflags +frag_keyframe+empty_moov sound/fragmented.mp4
ff "$two" -c:a alac sound/alac.m4a
ff "$one" -c:a alac sound/alac.caf
ff "$two" -c:a libvorbis sound/vorbis.ogg
ff "$one" -c:a libopus -b:a 24k sound/mono.opus
ff "$six" -c:a libopus -mapping_family 1 -b:a 96k sound/six.opus
cat sound/mono.opus sound/mono.opus > sound/chained.opus
ff "$one" -c:a libopus -b:a 24k sound/opus.webm
ff "$one" -c:a libopus -b:a 24k -f webm -live 1 pipe:1 > sound/browser.webm
ff "$one" -c:a libvorbis sound/vorbis.mkv
ff "$film" -f lavfi -i "$one" -c:v mpeg4 -c:a aac -b:a 24k sound/film.mp4
ff "$film" -f lavfi -i "$one" -c:v mpeg4 -c:a pcm_s16le sound/film.mkv
ff "$one" sound/big.aiff
ff "$one" -c:a pcm_s16le sound/little.aiff
ff "$one" -c:a pcm_s16le sound/pcm.caf
