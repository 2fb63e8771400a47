#!/usr/bin/env bash
# Everything that only a GPU can show, in under ten minutes: that every kernel computes what the reference does, that
# every recipe trains as on the processor and with the same bytes each time, what it takes of memory, and how fast it is
# beside PyTorch. One line per check at the end; not 0 if one failed.
#
#   tests/gpu.sh [--out DIR]          builds what it needs, and runs; DIR gets summary.txt, checks.jsonl, speed.jsonl,
#                                     speed.md and log.txt
#   tests/gpu.sh --pack DIR           builds, and copies what a machine without cargo needs to DIR; there:
#   DIR/gpu.sh [--out DIR]            (or tests/gpu.sh --packed DIR)
#
#   --quick            small sizes: to try it all out, also on the emulated device (MINIMAX_CUDA_EMULATOR)
#   --only checks|speed
#   --rows REGEX       rows of the speed table (benches/cuda/)
#   --seconds N        how long it may take in all [560]
#   --which NAME       builds, and prints where minimax, gpu or cuda (the bench) is
#
# PyTorch's side runs where `python3` (or $PYTHON) has torch; compute-sanitizer's checks where that is installed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out= packed= pack= which= only= quick= rows= limit=560
[ -d "$here/bin" ] && packed=$here
while [ $# -gt 0 ]; do
    case $1 in
    --out) out=$2 && shift ;;
    --pack) pack=$2 && shift ;;
    --packed) packed=$(cd "$2" && pwd) && shift ;;
    --which) which=$2 && shift ;;
    --only) only=$2 && shift ;;
    --rows) rows=$2 && shift ;;
    --seconds) limit=$2 && shift ;;
    --quick) quick=--quick ;;
    *) sed -n '2,/^set/{/^set/d;s/^# \?//;p}' "$0" && exit 2 ;;
    esac
    shift
done
python=${PYTHON:-python3}
scripts=$here/../benches/cuda
[ -n "$packed" ] && [ -f "$packed/compare.py" ] && scripts=$packed

# The command, or what is the command on the emulated device: only tests have that one.
command=minimax
[ -n "${MINIMAX_CUDA_EMULATOR:-}" ] && command=minimax-emulated

# The programs: prints where cargo put the one named.
built() {
    (cd "$here/.." && cargo build --release --bin "$command" --test gpu --bench cuda --message-format=json-render-diagnostics) |
        grep -o "\"executable\":\"[^\"]*/$1\(-[0-9a-f]*\)\?\"" | tail -1 | cut -d'"' -f4
}
if [ -n "$packed" ]; then
    minimax=$packed/bin/minimax gpu=$packed/bin/gpu bench=$packed/bin/cuda
else
    command -v cargo >/dev/null || { echo "no cargo here; pack where there is one: tests/gpu.sh --pack DIR" && exit 2; }
    minimax=$(built "$command") gpu=$(built gpu) bench=$(built cuda)
fi
for program in "$minimax" "$gpu" "$bench"; do
    [ -x "$program" ] || { echo "error: no program ${program:-that cargo has built}" && exit 2; }
done
if [ -n "$which" ]; then
    case $which in minimax) echo "$minimax" ;; gpu) echo "$gpu" ;; *) echo "$bench" ;; esac
    exit
fi
if [ -n "$pack" ]; then
    mkdir -p "$pack/bin"
    cp "$minimax" "$pack/bin/minimax" && cp "$gpu" "$pack/bin/gpu" && cp "$bench" "$pack/bin/cuda" || exit 1
    strip "$pack"/bin/* 2>/dev/null
    cp "$here/gpu.sh" "$scripts"/compare.py "$scripts"/pytorch.py "$scripts"/pytorch_gan.py "$pack/" || exit 1
    echo "$pack: $(du -sh "$pack" | cut -f1), for machines with $(grep -aoh 'GLIBC_2\.[0-9]*' "$pack"/bin/* | sort -Vu | tail -1) or later"
    exit
fi

out=${out:-$(mktemp -d)}
mkdir -p "$out" && out=$(cd "$out" && pwd)
parts=$(mktemp -d)
# A run that was stopped may still be saving.
trap 'rm -rf "$parts" 2>/dev/null || { sleep 2 && rm -rf "$parts"; }' EXIT
SECONDS=0

# check NAME SECONDS COMMAND...: runs it, with its output to a log whose last line is the figure. 77 is: skipped.
check() {
    local name=$1 most=$2 start=$SECONDS code result short=
    shift 2
    [ "$most" -gt $((ends - start)) ] && most=$((ends - start)) && short=yes
    if [ "$most" -gt 0 ]; then
        timeout "$most" "$@" >"$parts/$name.log" 2>&1
    else
        echo "no time left of $limit s" >"$parts/$name.log" && (exit 77)
    fi
    code=$?
    [ $code = 124 ] && [ -n "$short" ] && echo "time is up" >>"$parts/$name.log" && code=77
    # compute-sanitizer is slow, and says what it finds at once.
    if [ $code = 124 ] && grep -q "^========= COMPUTE-SANITIZER" "$parts/$name.log" &&
        ! grep -q "^=========.*\(Invalid\|Uninitialized\|hazard\)" "$parts/$name.log"; then
        echo "not done within $most s; no error until then" >>"$parts/$name.log" && code=77
    fi
    case $code in 0) result=ok ;; 77) result=skipped ;; *) result=FAILED ;; esac
    local figure
    figure=$(grep -v '^=* *$' "$parts/$name.log" | tail -1 | tr -d '\r"\\' | tr '\t' ' ' | cut -c1-200)
    [ $result = FAILED ] && figure="$(grep '[0-9]  FAIL$' "$parts/$name.log" | tr -s ' ' | head -3 | tr '\n' ';')$figure"
    [ $code = 124 ] && figure="not done within $most s; $figure"
    printf '{"check":"%s","result":"%s","seconds":%d,"figure":"%s"}\n' "$name" "$result" $((SECONDS - start)) "$figure" \
        >"$parts/$name.json"
    printf '%-36s %-8s %s\n' "$name" "$result" "$figure" >"$parts/$name.line"
}

# Runs as many checks at once as fit: they wait for the processor, which computes the reference.
at_once=$(($(nproc) / 3 + 1))
background() {
    while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do wait -n; done
    check "$@" &
}

# Two runs with one seed, and a third launch by launch, leave the same bytes.
same_bytes() {
    local recipe=$1 run hashes=
    shift
    for run in graph again launches; do
        local flags=()
        [ $run = launches ] && flags=(--no-graph)
        "$minimax" train "$recipe" --data digits --device cuda --seed 5 --out "$parts/$recipe-$run" "${flags[@]}" "$@" || return 1
        hashes+="$(sha256sum <"$parts/$recipe-$run/checkpoint.safetensors") "
    done
    set -- $hashes # each is followed by a -
    [ "$1" = "$3" ] || { echo "two runs with one seed differ" && return 1; }
    [ "$1" = "$5" ] || { echo "graphs and launches differ" && return 1; }
    echo "three checkpoints of ${1:0:12}..."
}

sanitized() {
    local tool=$1
    shift
    command -v compute-sanitizer >/dev/null || { echo "not installed" && return 77; }
    # Within check's own time limit, whose end ends all that was started: what goes on would slow the timings down.
    compute-sanitizer --tool "$tool" --error-exitcode 99 "$@" 2>&1 | tee "$parts/$tool.$$"
    local code=${PIPESTATUS[0]}
    if grep -q "Device not supported" "$parts/$tool.$$"; then echo "compute-sanitizer doesn't work here" && return 77; fi
    grep -h "ERROR SUMMARY\|RACECHECK SUMMARY" "$parts/$tool.$$" | sed 's/^=* *//'
    return $code
}

export minimax parts
export -f same_bytes sanitized

# The speed table gets a third of the time, or more.
checks() {
    ends=$limit
    [ -z "$only" ] && ends=$((limit * 2 / 3))
    local precision recipe tool steps=10 batch=() train=(--steps 30) recipes
    recipes=$("$gpu" names)
    local same=(quickstart dcgan-compact-mnist mlp-mnist wgan-gp-mnist)
    if [ -n "$quick" ]; then
        steps=3 batch=(4) train=(--steps 4 --batch-size 4) same=(vanilla-mnist)
        recipes="vanilla-mnist quickstart"
    else
        for precision in f32 tf32; do
            background "gradcheck-large-$precision" 300 "$minimax" gradcheck --device cuda --precision $precision --large
        done
    fi
    for precision in f32 tf32; do
        background "gradcheck-$precision" 200 "$minimax" gradcheck --device cuda --precision $precision
    done
    for recipe in $recipes; do
        background "train-$recipe" 200 "$gpu" train "$recipe" $steps "${batch[@]}"
    done
    for recipe in "${same[@]}"; do
        background "same-bytes-$recipe" 200 bash -c 'same_bytes "$@"' - "$recipe" "${train[@]}"
    done
    for tool in memcheck racecheck initcheck; do
        background "$tool-gradcheck" 200 bash -c 'sanitized "$@"' - $tool "$minimax" gradcheck --device cuda --order 1
        background "$tool-train" 200 bash -c 'sanitized "$@"' - $tool "$gpu" train quickstart 4 16
    done
    wait
}

speed() {
    local left=$((limit - SECONDS - 20)) flags=($quick)
    local most=$((left > 20 ? left + 30 : 0))
    ends=$((SECONDS + most))
    "$python" -c 'import torch' 2>/dev/null || flags+=(--no-pytorch)
    [ -n "$quick" ] && flags+=(--rounds 1 --seconds 0.02)
    check speed $most "$python" "$scripts/compare.py" --ours "$bench" --rows "$rows" --budget $left --out "$out" \
        "${flags[@]}"
    [ -f "$out/speed.md" ] && sed 's/^/  /' "$out/speed.md"
}

if ! "$minimax" gradcheck --device cuda --op exp >"$parts/device.log" 2>&1; then
    tail -1 "$parts/device.log" && exit 2
fi
nvidia-smi >"$parts/machine.log" 2>&1
[ "$only" != speed ] && checks
[ "$only" != checks ] && speed

say() {
    local failed skipped
    echo && cat "$parts"/*.line
    failed=$(cat "$parts"/*.json | grep -c '"FAILED"')
    skipped=$(cat "$parts"/*.json | grep -c '"skipped"')
    echo "$(cat "$parts"/*.line | wc -l) checks in $SECONDS s, $failed failed, $skipped skipped; all in $out"
}
for log in "$parts"/*.log; do echo "=== $(basename "$log" .log)" && cat "$log"; done >"$out/log.txt"
cat "$parts"/*.json >"$out/checks.jsonl"
say | tee "$out/summary.txt"
! grep -q '"FAILED"' "$out/checks.jsonl"
