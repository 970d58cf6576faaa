/// The looks of a page: light and dark, wide and narrow, on paper.
enum Stylesheet {
  /// The whole style sheet.
  static let text: Markup = """
    :root{color-scheme:light dark;--page:#f3f5f8;--card:#fff;--ink:#16202b;--muted:#566373;--line:#dde3ea;--grid:#e6eaef;\
    --axis:#98a4b3;--accent:#0b62c4;--good:#006b57;--warn:#8a5a00;--bad:#b3261e;--c0:#0b62c4;--c1:#b94a08;--c2:#007a63;--c3:#8544b0;\
    --c4:#806400;--c5:#b82a76;--c6:#1f7fa8;--c7:#5c6775}
    @media (prefers-color-scheme:dark){:root{--page:#0e141b;--card:#17202a;--ink:#e8edf3;--muted:#a3b0be;--line:#2b3744;\
    --grid:#26313d;--axis:#5f6e7e;--accent:#6cb2ff;--good:#45d1b0;--warn:#f0c04a;--bad:#ff8f85;--c0:#5ea9ff;--c1:#ff9a57;--c2:#3ecfae;\
    --c3:#cf98f5;--c4:#e3c54d;--c5:#ff8abf;--c6:#84d3f3;--c7:#a9b4c2}}
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
    main{max-width:1060px;margin:0 auto;padding:40px 20px 64px}
    header{margin-bottom:28px}
    .brand{font-size:13px;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:var(--muted);margin:0 0 14px}
    h1{font-size:clamp(1.45rem,3.6vw,2.15rem);line-height:1.18;letter-spacing:-.018em;margin:0 0 14px;font-weight:700;max-width:27em}
    .lead{color:var(--muted);margin:0 0 4px;max-width:54em}
    h2{font-size:1.35rem;line-height:1.25;letter-spacing:-.01em;margin:44px 0 14px}
    h3{font-size:1.02rem;line-height:1.3;margin:0 0 2px}
    h4{font-size:.95rem;margin:18px 0 6px}
    p{margin:0 0 12px;max-width:46em}
    .tiles{display:flex;flex-wrap:wrap;gap:12px;margin:0 0 12px;padding:0}
    .tile,.card{background:var(--card);border:1px solid var(--line);border-radius:12px}
    .tile{flex:1 1 200px;padding:14px 16px}
    .tile dt{font-size:.84rem;color:var(--muted);line-height:1.3}
    .tile dd{margin:0}
    .tile .value{font-size:1.65rem;font-weight:700;letter-spacing:-.02em;line-height:1.25;white-space:nowrap;font-variant-numeric:tabular-nums}
    .tile .aside{font-size:.84rem;color:var(--muted);line-height:1.35}
    .charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:12px}
    figure{margin:0;padding:16px 18px 14px;break-inside:avoid;min-width:0}
    figure.hero{grid-column:1/-1}
    figcaption{font-size:.88rem;line-height:1.45;color:var(--muted);margin:0 0 10px}
    figcaption h3{color:var(--ink)}
    svg{display:block;width:100%;height:auto;overflow:visible}
    .narrow{display:none}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
    caption{text-align:left;font-weight:600;padding:0 0 6px}
    th,td{padding:6px 12px 6px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);unicode-bidi:isolate}
    th{font-weight:600;color:var(--muted);white-space:nowrap}
    .n{text-align:right;white-space:nowrap}
    td.t{overflow-wrap:anywhere;min-width:7em}
    th:last-child,td:last-child{padding-right:0}
    details{background:var(--card);border:1px solid var(--line);border-radius:12px;margin:0 0 10px;padding:0 18px}
    summary{cursor:pointer;font-weight:600;padding:12px 0}
    details[open]{padding-bottom:16px}
    details details{background:var(--page)}
    pre,code{font:.86rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
    pre{margin:0 0 12px;padding:12px 14px;background:var(--card);border:1px solid var(--line);border-radius:10px;overflow-x:auto;\
    white-space:pre-wrap;overflow-wrap:anywhere}
    .w{white-space:nowrap}
    details pre{background:var(--page)}
    ul.notes{padding-left:1.2em;margin:0;max-width:48em}
    ul.notes li{margin-bottom:6px}
    dl.facts{display:grid;grid-template-columns:minmax(8em,max-content) 1fr;gap:4px 18px;margin:0;font-size:.92rem}
    dl.facts dt{color:var(--muted)}
    dl.facts dd{margin:0;overflow-wrap:anywhere;min-width:0}
    .badge{display:inline-block;font-size:.8rem;font-weight:600;line-height:1.2;padding:3px 9px;border-radius:99px;\
    border:1px solid currentColor;white-space:nowrap}
    .holds{color:var(--good)}.partly{color:var(--warn)}.fails{color:var(--bad)}.open{color:var(--muted)}
    footer{margin-top:44px;font-size:.84rem;color:var(--muted)}
    .exhibit{padding:20px;margin:12px 0 16px;break-inside:avoid-page}
    .exhibit figure{padding:0 0 10px}
    .number{font-size:.84rem;font-weight:600;color:var(--accent);margin:0}
    .exhibit>h3{font-size:1.2rem;margin-bottom:10px}
    a{color:var(--accent)}
    .banner{background:var(--card);border:1px solid var(--warn);border-left-width:6px;border-radius:8px;padding:10px 14px;max-width:none}
    @media (max-width:720px){main{padding:24px 12px 48px}.charts{grid-template-columns:minmax(0,1fr)}.wide{display:none}\
    .narrow{display:block}figure,.exhibit{padding:14px 12px 12px}.exhibit figure{padding:0 0 10px}.tiles{gap:8px}\
    .tile{padding:12px;flex:1 1 40%}.tile .value{font-size:1.35rem}details{padding:0 12px}\
    .stack thead{display:none}.stack tr{display:block;padding:10px 0;border-bottom:1px solid var(--line)}.stack td{display:flex;gap:10px;\
    border:0;padding:1px 0}.stack td::before{content:attr(data-name);color:var(--muted);flex:0 0 4.8em}\
    dl.facts{grid-template-columns:1fr;gap:0}dl.facts dd{margin-bottom:8px}h2{margin-top:34px}}
    @media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--muted:#444;--line:#bbb;--grid:#ddd;--axis:#777;\
    --accent:#0b62c4;--good:#006b57;--warn:#8a5a00;--bad:#b3261e;--c0:#0b62c4;--c1:#b94a08;--c2:#007a63;--c3:#8544b0;--c4:#806400;\
    --c5:#b82a76;--c6:#1f7fa8;--c7:#5c6775}body{font-size:11pt}main{max-width:none;padding:0}h1{font-size:20pt}\
    h2{break-after:avoid}.tile,.card,details,pre{break-inside:avoid}.hit{display:none}\
    details:not([open])::details-content{content-visibility:visible}.charts{grid-template-columns:repeat(2,minmax(0,1fr))}\
    .wide{display:block}.narrow{display:none}.tile{flex:1 1 30%;padding:8px 12px}.scroll{overflow:visible}table{font-size:8.5pt}\
    th,td{padding:3px 8px 3px 0}summary{list-style:none}}
    """
}
