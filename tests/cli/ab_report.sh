# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# the page of pmemshim ab is whole, asks for nothing, and fits every screen
#
# The page is put into frames of 320, 390 and 1280 pixels; a script beside it, since
# the page itself forbids scripts, measures what the browser has made of it.
. "$T_ROOT/tests/support/t_cli.sh"
t_need python3 python3
t_cc ab_syncer ab_syncer.c
rules=$T_DATA,assume_pmem=yes
page=$T_WORK/page.html

# Text that would be read as markup, in all that the user writes.
evil='<script>alert(1)</script>&amp;"'\''<b>'
t_cli 0 ab -n 6 -w 0 -b 2 --seed 4 -p "$rules" --report "$page" \
	--setup ": # $evil" -- \
	sh -c '"$@"' "$evil" "$T_BIN/ab_syncer" "$T_DATA/file" 100 0 1
verdict=$(head -n 1 "$T_WORK/out")

python3 - "$page" "$verdict" <<'PYTHON' || t_fail 'the page'
import html.parser, re, sys
text = open(sys.argv[1], encoding="utf-8").read()
class Page(html.parser.HTMLParser):
    void = {"meta"}
    stack, tags, inside, verdict = [], {}, [], ""
    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attributes:
            if name in ("src", "href", "action", "style") or name.startswith("on"):
                sys.exit(f"{tag} has {name}")
        if tag not in self.void:
            self.stack.append(tag)
    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            sys.exit(f"</{tag}> closes something else")
    def handle_data(self, data):
        if self.stack[-1:] == ["h1"]:
            self.verdict += data
page = Page()
page.handle_startendtag = lambda tag, attributes: page.tags.update(
    {tag: page.tags.get(tag, 0) + 1})
page.feed(text)
if page.stack:
    sys.exit(f"left open: {page.stack}")
if page.verdict != sys.argv[2]:
    sys.exit(f"verdict: {page.verdict}")
for tag in ("script", "b", "img", "link", "iframe"):
    if tag in page.tags:
        sys.exit(f"there is a {tag}")
if page.tags["svg"] != 3 or page.tags["table"] != 3:
    sys.exit(f"not 3 graphs and 3 tables: {page.tags}")
# A dot for each run, and one for each ratio.
if page.tags["circle"] < 24 + 3:
    sys.exit("too few dots")
if re.search(r"https?:|url\(|@import", text):
    sys.exit("an address")
PYTHON

# A void comparison has a page too, which says so.
t_cli 1 ab -n 6 --arms bare -p "$rules" --report "$T_WORK/void.html" -- \
	sh -c 'exit 3'
grep -q '<h1 id="verdict">No comparison: sh ended with status 3' \
	"$T_WORK/void.html" || t_fail 'the page of a void comparison'
# An old page is replaced as a whole.
yes | head -c 1000000 >"$T_WORK/old.html"
t_cli 0 ab -n 1 -w 0 --arms bare -p "$rules" --report "$T_WORK/old.html" -- true
[ "$(tail -n 1 "$T_WORK/old.html")" = '</main></body></html>' ] ||
	t_fail 'the end of an old page is left'

t_need chromium chromium

# dom SCHEME PAGE: what the browser made of the page in frames of all widths.
dom() {
	python3 - "$2" >"$T_WORK/frames.html" <<'PYTHON'
import html, sys
text = html.escape(open(sys.argv[1], encoding="utf-8").read())
frames = "".join(f'<iframe width={width} height=900 srcdoc="{text}"></iframe>'
                 for width in (320, 390, 1280))
print(f"""<!doctype html><body>{frames}<p id=said></p><script>
onload = () => {{
  const said = [...document.querySelectorAll("iframe")].map(frame => {{
    const page = frame.contentDocument, root = page.documentElement;
    const far = [...page.querySelectorAll("body *")].filter(e =>
      !e.closest(".wide") && !e.closest("svg") &&
      e.getBoundingClientRect().right > root.clientWidth + 1);
    const texts = [...page.querySelectorAll("svg text")].filter(e => {{
      const box = e.getBoundingClientRect();
      return box.left < -1 || box.right > root.clientWidth + 1; }});
    const graphs = [...page.querySelectorAll("svg")].filter(e =>
      e.getBoundingClientRect().width < 240);
    return [frame.width, "overflow", root.scrollWidth - root.clientWidth,
      "far", far.length, "texts", texts.length, "narrow", graphs.length,
      "tables", page.querySelectorAll("table").length,
      "ground", getComputedStyle(page.body).backgroundColor,
      "verdict", page.getElementById("verdict").textContent].join(" ");
  }});
  document.getElementById("said").textContent = said.join("\\n");
}};</script>""")
PYTHON
	timeout 100 chromium --headless --no-sandbox --disable-gpu \
		--disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync \
		--user-data-dir="$T_WORK/chromium" \
		--blink-settings="preferredColorScheme=$1" \
		--dump-dom "file://$T_WORK/frames.html" 2>"$T_WORK/chromium.log" |
		sed -n '/<p id="said">/,/<\/p>/p' |
		sed 's/.*<p id="said">//; s,</p>.*,,' >"$T_WORK/said"
	[ -s "$T_WORK/said" ] || t_fail "no answer: $(tail -n 1 "$T_WORK/chromium.log")"
}

# expect WIDTH GROUND
expect() {
	grep -qF "$1 overflow 0 far 0 texts 0 narrow 0 tables 3 ground $2 verdict $verdict" \
		"$T_WORK/said" || t_fail "$1 pixels: $(cat "$T_WORK/said")"
}

export XDG_CONFIG_HOME=$T_WORK/config XDG_CACHE_HOME=$T_WORK/cache
dom 1 "$page"
expect 320 'rgb(251, 250, 248)'
expect 390 'rgb(251, 250, 248)'
expect 1280 'rgb(251, 250, 248)'
dom 0 "$page"
expect 390 'rgb(22, 23, 25)'
expect 1280 'rgb(22, 23, 25)'
