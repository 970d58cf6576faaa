import Foundation
import MurmurReports
import Testing

/// Runs `python3` over a text, where there is one: a judge that shares no code with us.
enum Python {
  /// Whether there is a Python to ask.
  static let exists = (try? run("import sys", on: "")) != nil

  /// What the program printed, with the text as its standard input.
  @discardableResult static func run(_ program: String, on text: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory
    let file = folder.appendingPathComponent("murmur-reports-\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString)")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program]
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let said = String(decoding: data, as: UTF8.self)
    guard process.terminationStatus == 0 else { throw Failure(said: said) }
    return said
  }

  struct Failure: Error { let said: String }
}

@Suite("Pages: what a person opens")
struct PagesTests {
  static let pages: [(name: String, html: String)] = [
    ("run", Samples.run().html()), ("run-crowd", Samples.run(peers: 1000, offline: 0.2, seed: 3).html()),
    ("run-single", Samples.run(peers: 1, offline: 0, seed: 4, length: 3).html()),
    ("demo", Samples.comparison([0, 0.8]).html()), ("levels", Samples.comparison([0, 0.2, 0.4, 0.6, 0.8]).html()),
    ("reproduction", Samples.reproduction().html()),
    ("empty", RunReport(result: RunResult(name: "", seed: 0), series: Series()).html()),
  ]

  /// With `MURMUR_REPORT_SAMPLES=folder` the pages are left there to be looked at.
  @Test("sample pages are complete, closed and self-contained", arguments: pages.map(\.name))
  func complete(name: String) throws {
    let html = try #require(Self.pages.first { $0.name == name }).html
    if let folder = ProcessInfo.processInfo.environment["MURMUR_REPORT_SAMPLES"] {
      try html.write(toFile: "\(folder)/\(name).html", atomically: true, encoding: .utf8)
    }
    #expect(html.hasPrefix("<!doctype html>"))
    #expect(html.hasSuffix("</html>\n"))
    for outside in ["<script", "<link", "<img", "@import", "src=", "href=", "onload", "javascript:"] {
      #expect(!html.contains(outside), "\(outside) in \(name)")
    }
    let addresses = html.ranges(of: "http").map { String(html[$0.lowerBound...].prefix(26)) }
    #expect(Set(addresses).isSubset(of: ["http-equiv=\"Content-Securi", "http://www.w3.org/2000/svg"]), "\(name)")
    #expect(html.contains("prefers-color-scheme:dark") && html.contains("@media print") && html.contains("name=\"viewport\""))
    if Python.exists { #expect(try Python.run(Self.checker, on: html) == "", "\(name)") }
  }

  /// Complains about elements that are not closed in order, names used twice, and references to names that are not there.
  static let checker = """
    import sys, re
    from html.parser import HTMLParser
    text = sys.stdin.read()
    class Checker(HTMLParser):
        stack, names = [], set()
        def handle_starttag(self, tag, attributes):
            if tag not in ('meta', 'br'): self.stack.append(tag)
            for key, value in attributes:
                if key == 'id':
                    if value in self.names: print('twice', value)
                    self.names.add(value)
        def handle_startendtag(self, tag, attributes): pass
        def handle_endtag(self, tag):
            if not self.stack or self.stack.pop() != tag: print('wrong end', tag, self.getpos())
    checker = Checker()
    checker.feed(text)
    if checker.stack: print('open', checker.stack)
    for name in re.findall(r'url\\(#([^)]*)\\)', text) + sum((x.split() for x in re.findall(r'labelledby="([^"]*)"', text)), []):
        if name not in checker.names: print('missing', name)
    if 'nan' in re.sub(r'[A-Za-z]{4,}', '', text).lower(): print('nan')
    """

  @Test("names that want to be markup stay text, everywhere")
  func hostile() {
    let evil = "<script>alert('x')</script><img src=x onerror=\"y\">&\u{0}\u{1b}[31m"
    var report = Samples.run(peers: 3)
    report.result.name = evil
    report.result.command = evil
    report.result.trace = evil
    report.result.data.name = evil
    report.result.data.split = evil
    report.result.model = evil
    report.result.offline = evil
    report.result.faults = [evil]
    report.result.notes = [evil]
    report.result.interrupted = evil
    report.result.configuration = evil
    report.result.versions = [.init(evil, evil)]
    for index in report.result.peers.indices {
      report.result.peers[index].role = evil
      report.result.peers[index].model = evil
    }
    let comparison = ComparisonReport(
      title: evil, verdict: evil, command: evil, notes: [evil], runs: [.init(evil, report), .init(evil, report)])
    let table = Table(evil, columns: [.text(evil), .number(evil)], rows: [[evil, evil, "surplus"], []])
    let reproduction = ReproductionReport(
      title: evil, paper: evil, introduction: [evil], command: evil,
      exhibits: [
        .init(
          number: evil, title: evil, text: [evil], figures: [Figure(evil, caption: evil, chart: comparison.figures()[0].chart)],
          tables: [table], findings: [.init(evil, paper: evil, ours: evil, outcome: .fails, remark: evil)])
      ], notes: [evil], facts: [.init(evil, evil)])
    for page in [report.html(), comparison.html(), reproduction.html()] {
      #expect(page.contains("&lt;script&gt;"))
      for wrong in ["<script", "<img", "\u{0}", "\u{1b}", "onerror=\"", "<p></p>"] { #expect(!page.contains(wrong), "\(wrong)") }
    }
    for text in [report.terminal(), comparison.terminal(), reproduction.terminal()] {
      #expect(!text.contains("\u{1b}") && !text.contains("\u{0}"))
    }
    #expect(!table.text().contains("surplus") && !table.markup.text.contains("surplus"))
  }

  @Test("the page says what was run, what came of it, how to run it again, and which kind of offline was meant")
  func content() {
    var report = Samples.run()
    let html = report.html()
    let result = report.result
    for said in [
      "Together, 20 peers reach", "offline at any time", "redrawn each time",
      "<span class=\"w\">--offline</span> <span class=\"w\">0.8</span>", result.trace,
      "seed",
      "Accuracy over time", "What each peer gained", "Who was there", "Training and averaging", "Averaging that was worth it",
      "Resilience", "What it cost to talk", "central 97.2", "64-64-10", "faults:",
    ] { #expect(html.contains(said), "\(said)") }
    for note in result.notes { #expect(html.contains(Markup.escape(note)), "\(note)") }
    #expect(!html.contains("class=\"banner\""))
    report.result.interrupted = "Stopped by hand after 83 minutes"
    #expect(report.html().contains("Stopped by hand after 83 minutes."))
  }

  @Test("ten thousand peers and as many samples still make a page that opens on a phone")
  func huge() {
    let report = Samples.run(peers: 10_000, offline: 0.4, length: 10_000)
    #expect(report.html().utf8.count < 1_000_000)
    #expect(report.result.json().split(separator: "\n").count { $0.contains("\"aloneAccuracy\"") } == 10_000)
    #expect(report.series.csv().split(separator: "\n").count == 10_002)
  }

  @Test("every colour that carries meaning can be read on its card, in light, dark and print", .enabled(if: Python.exists))
  func contrast() throws {
    let program = """
      import sys, re
      def light(c):
          c = c.lstrip('#')
          c = ''.join(x * 2 for x in c) if len(c) == 3 else c
          parts = [int(c[i:i + 2], 16) / 255 for i in (0, 2, 4)]
          parts = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
          return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
      schemes = re.findall(r':root\\{([^}]*)\\}', sys.stdin.read())
      for scheme in schemes:
          colours = dict(re.findall(r'--(\\w+):(#[0-9a-f]+)', scheme))
          for name in ['ink', 'muted', 'accent', 'good', 'warn', 'bad'] + ['c%d' % i for i in range(8)]:
              for ground in ['card', 'page']:
                  a, b = sorted([light(colours[name]), light(colours[ground])])
                  ratio = (b + 0.05) / (a + 0.05)
                  if ratio < (4.5 if ground == 'card' else 4): print(name, ground, round(ratio, 2), colours[name])
      print(len(schemes))
      """
    #expect(try Python.run(program, on: Samples.run(peers: 2, length: 2).html()) == "3\n")
  }

  @Test("numbers stay with their units, commands are left as they are")
  func prose() {
    #expect(Markup.prose("95.2 % of 3 MB, in 8 s. 5 peers").text == "95.2\u{a0}% of 3\u{a0}MB, in 8\u{a0}s. 5 peers")
    #expect(Markup.prose("").text == "")
    let name = "a<b"
    #expect(("<i>\(name)</i>" as Markup).text == "<i>a&lt;b</i>")
  }
}

@Suite("Terminal: what is printed at the end")
struct TerminalTests {
  @Test("no line is wider than asked for, columns stand under each other", arguments: [60, 80, 100])
  func width(width: Int) {
    var texts = [
      Samples.run().terminal(width: width), Samples.comparison([0, 0.8]).terminal(width: width),
      Samples.reproduction().terminal(width: width),
    ]
    if width >= 80 { texts.append(Samples.run(peers: 5).peerTable().text(width: 120)) }
    for text in texts.prefix(3) {
      for line in text.split(separator: "\n") where !line.hasPrefix("seed ") { #expect(line.count <= width, "\(line)") }
      #expect(text.hasSuffix("\n") && !text.contains("\u{1b}"))
    }
  }

  @Test("the table looks like this")
  func golden() {
    let table = Table(
      "Runs", columns: [.text("run"), .number("together"), .number("gap")],
      rows: [
        ["0 % offline", "96.6 %", "0.97"], ["80 % offline, redrawn every cycle", "95.3 %"],
      ])
    #expect(
      table.text(width: 40) == """
        Runs
        run                       together   gap
        ────────────────────────  ────────  ────
        0 % offline                 96.6 %  0.97
        80 % offline, redrawn e…    95.3 %

        """)
    #expect(table.text(width: 40, colour: true).contains("\u{1b}[1mrun"))
    #expect(Table(columns: []).text() == "\n\n")
  }
}
