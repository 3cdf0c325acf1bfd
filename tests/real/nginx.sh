#!/bin/bash
# SPDX-License-Identifier: MIT
# Promise: nginx serves, proxies and compresses the same bytes, under load and across reloads. No
# worker crashes, and workers that quit gracefully report.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh" || exit 1
PATH=$PATH:/usr/sbin
start "$@"
need nginx wrk curl "$python"

sizes=(0 100 4096 65535 65536 65537 1000000 8388608)
errors=$tmp/error.log

make_bodies() {
  mkdir "$tmp/www"
  "$python" - "$tmp/www" "${sizes[@]}" <<'PY'
import random, sys
rng = random.Random(7)
for size in sys.argv[2:]:
    # The text is half noise and half text, so that gzip has something to do.
    text = b"".join(b"line %d\n" % n for n in range(int(size) // 10 + 1))
    body = rng.randbytes(int(size) // 2) + text
    with open(f"{sys.argv[1]}/{size}", "wb") as file:
        file.write(body[:int(size)])
PY
}

# If root starts it, nginx gives its workers to another account, as an installed one does.
write_config() {
  local account=''
  if [ "$(id -u)" = 0 ]; then account="user nobody $(id -gn nobody);"; fi
  cat >"$tmp/nginx.conf" <<CONF
$account
worker_processes 2;
daemon off;
pid $tmp/nginx.pid;
error_log $errors info;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path $tmp/body;
  proxy_temp_path $tmp/proxy;
  fastcgi_temp_path $tmp/fastcgi;
  uwsgi_temp_path $tmp/uwsgi;
  scgi_temp_path $tmp/scgi;
  proxy_buffers 16 64k;
  proxy_buffer_size 64k;
  gzip_types *;
  upstream files { server 127.0.0.1:$port; keepalive 16; }
  server {
    listen 127.0.0.1:$port;
    location / { root $tmp/www; }
    location /proxy/ { proxy_pass http://files/; proxy_http_version 1.1;
                       proxy_set_header Connection ''; }
    location /gzip/ { alias $tmp/www/; gzip on; }
  }
}
CONF
}

answers() { curl -sf -o /dev/null "$url/100"; }

serve() {
  port=$(free_port)
  url=http://127.0.0.1:$port
  write_config
  spawn "$tmp/nginx.out" "${with_us[@]}" nginx -e "$errors" -p "$tmp" -c "$tmp/nginx.conf"
  wait_until 10 answers || fail_with "$errors" "nginx does not answer"
}

digest() { sha256sum | cut -c1-64; }

check_bodies() {
  local size expected way
  for size in "${sizes[@]}"; do
    expected=$(digest <"$tmp/www/$size")
    for way in "" proxy/ gzip/; do
      [ "$(curl -sf --max-time 200 --compressed "$url/$way$size" | digest)" = "$expected" ] \
        || fail_with "$errors" "/$way$size: the body is not that of the file"
    done
  done
}

# check_load FILE: checks what wrk said. It counts the connections that a reload closes as errors. A
# wrong answer is none of these.
check_load() {
  grep -q '^Requests/sec' "$1" || fail_with "$1" "wrk said nothing"
  ! grep 'Non-2xx' "$1" || fail_with "$errors" "nginx answered with errors under load"
}

load_and_reload() {
  local seconds round loads=() size
  seconds=$(scaled 6 60)
  for size in 65536 1000000; do
    wrk -t 1 -c 16 -d "$seconds" "$url/proxy/$size" >"$tmp/wrk.$size" 2>&1 &
    loads+=($!)
    servers+=($!)
  done
  for ((round = 0; round < seconds / 2; round++)); do
    sleep 0.7
    kill -HUP "$pid"
    check_bodies
  done
  wait "${loads[@]}"
  for size in 65536 1000000; do check_load "$tmp/wrk.$size"; done
}

check_errors() {
  ! grep -hE 'exited on signal|fatal code|\[(emerg|crit)\]|malloc|^.?bufpool' \
    "$errors" "$tmp/nginx.out" \
    || fail "nginx's error log has the lines above"
}

check_reports() {
  local files
  [ "$reports_expected" = 1 ] || return 0
  mapfile -t files < <(all_reports)
  # There are two workers before the first reload, two after it, and the master.
  [ "${#files[@]}" -ge 5 ] || fail "only ${#files[@]} processes of nginx reported"
  check_report used "${files[@]}"
}

make_bodies
serve
check_bodies
load_and_reload
check_bodies
kill -QUIT "$pid"
ended "$pid" 20 "$errors"
check_errors
check_reports
say "ok: $(sed -n 's/^Requests.sec: */proxied requests a second: /p' "$tmp/wrk.65536")"
