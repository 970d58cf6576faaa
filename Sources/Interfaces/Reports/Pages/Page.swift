/// A page in the making: parts are added from top to bottom, pictures get names of their own.
struct Page {
  private var body = Markup()
  private var pictures = 0

  /// The finished document: one file that needs nothing else.
  func document(title: String) -> String {
    let page: Markup = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width,initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
      <title>\(title)</title>
      <style>
      \(Stylesheet.text)
      </style>
      </head>
      <body>
      <main>
      \(body)<footer>Made by murmur. This page is one file and loads nothing from anywhere.</footer>
      </main>
      </body>
      </html>

      """
    return page.text
  }

  /// Adds markup as it is.
  mutating func add(_ markup: Markup) {
    body += markup
    body += "\n"
  }

  /// The top of the page: what kind of page it is, the outcome, what was run.
  mutating func header(kind: String, verdict: String, lead: [String]) {
    let paragraphs = lead.filter { !$0.isEmpty }.map { text -> Markup in "<p class=\"lead\">\(.prose(text))</p>" }
    add("<header><p class=\"brand\">Murmuration · \(kind)</p><h1>\(.prose(verdict))</h1>\(.joined(paragraphs))</header>")
  }

  /// A heading of a part.
  mutating func heading(_ text: String) { add("<h2>\(text)</h2>") }

  /// Key figures, each with what it is and what to compare it with.
  mutating func tiles(_ tiles: [Tile]) {
    guard !tiles.isEmpty else { return }
    let items = tiles.map { tile -> Markup in
      """
      <div class="tile"><dt>\(.prose(tile.name))</dt><dd><div class="value">\(tile.value)</div>\
      <div class="aside">\(.prose(tile.aside))</div></dd></div>
      """
    }
    add("<dl class=\"tiles\">\(.joined(items, separator: "\n"))</dl>")
  }

  /// Pictures in two columns, the first across both if `hero`.
  mutating func figures(_ figures: [Figure], hero: Bool) {
    guard !figures.isEmpty else { return }
    var items: [Markup] = []
    for (index, figure) in figures.enumerated() {
      let lonely = index == figures.count - 1 && (hero ? index % 2 == 1 : index % 2 == 0)
      items.append(picture(figure, wide: (hero && index == 0) || lonely, card: true, height: lonely && index > 0 ? 240 : 330))
    }
    add("<div class=\"charts\">\(.joined(items, separator: "\n"))</div>")
  }

  /// One picture. A wide one is drawn twice, for wide and for narrow windows, so that its text is never scaled down.
  mutating func picture(_ figure: Figure, wide: Bool, card: Bool, height: Double = 330) -> Markup {
    pictures += 1
    func drawn(_ suffix: String, _ width: Double, _ height: Double?) -> Markup {
      let text = figure.chart.svg(
        identifier: "p\(pictures)\(suffix)", title: figure.title, description: figure.caption, width: width, height: height)
      return Markup(trusted: text)
    }
    let drawing: Markup =
      wide
      ? """
      <div class="wide">\(drawn("w", 800, height))</div><div class="narrow">\(drawn("n", 360, 280))</div>
      """ : drawn("", 380, 260)
    let heading: Markup = figure.title.isEmpty ? Markup() : "<h3>\(figure.title)</h3>"
    let classes = (wide ? "hero" : "half") + (card ? " card" : "")
    return """
      <figure class="\(classes)"><figcaption>\(heading)\(.prose(figure.caption))</figcaption>\(drawing)</figure>
      """
  }

  /// A part that is folded until somebody wants it.
  mutating func details(_ summary: String, open: Bool = false, _ content: Markup) {
    add("<details\(open ? " open" as Markup : Markup())><summary>\(summary)</summary>\(content)</details>")
  }

  /// A command line to copy; it is only broken between words, never at a hyphen.
  static func command(_ text: String) -> Markup {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    return "<pre>\(.joined(words.map { word -> Markup in "<span class=\"w\">\(String(word))</span>" }, separator: " "))</pre>"
  }

  /// Sentences as a list.
  static func list(_ sentences: [String]) -> Markup {
    "<ul class=\"notes\">\(.joined(sentences.map { sentence -> Markup in "<li>\(.prose(sentence))</li>" }))</ul>"
  }

  /// Names with values.
  static func facts(_ facts: [ReproductionReport.Fact]) -> Markup {
    "<dl class=\"facts\">\(.joined(facts.map { fact -> Markup in "<dt>\(fact.name)</dt><dd>\(fact.value)</dd>" }))</dl>"
  }

  /// One of the key figures at the top of a page.
  struct Tile {
    let name: String
    let value: String
    let aside: String
  }
}

extension Table {
  /// The table for a page; it scrolls sideways by itself where the window is too narrow.
  package var markup: Markup {
    let caption: Markup = title.isEmpty ? Markup() : "<caption>\(title)</caption>"
    let head = columns.map { column -> Markup in
      column.isNumeric ? "<th scope=\"col\" class=\"n\">\(column.name)</th>" : "<th scope=\"col\">\(column.name)</th>"
    }
    let lines = rows.map { row -> Markup in
      let cells = columns.enumerated().map { index, column -> Markup in
        let cell = index < row.count ? row[index] : ""
        return column.isNumeric ? "<td class=\"n\">\(cell)</td>" : "<td class=\"t\">\(cell)</td>"
      }
      return "<tr>\(.joined(cells))</tr>"
    }
    return """
      <div class="scroll"><table>\(caption)<thead><tr>\(.joined(head))</tr></thead><tbody>\
      \(.joined(lines, separator: "\n"))</tbody></table></div>
      """
  }
}
