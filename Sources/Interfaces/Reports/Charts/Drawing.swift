/// The frame that charts with two axes share: head, legend, grid, marks and reference lines.
struct Drawing {
  /// An entry of the legend.
  enum Key {
    case line(String, Tint, LineChart.Style, dash: Markup = Markup())
    case area(String, Tint)
    case ring(String, Tint)

    var name: String {
      switch self {
      case .line(let name, _, _, _), .area(let name, _), .ring(let name, _): name
      }
    }
  }

  /// The whole picture's size.
  let width: Double
  let height: Double
  /// Where the curves are.
  let frame: Box
  let x: Axis
  let y: Axis
  let xTicks: Ticks
  let yTicks: Ticks
  /// What has been drawn.
  var content = Markup()

  /// Lays out and draws everything but the curves. `across` is false where the horizontal axis has no numbers.
  init(width: Double, height: Double, x: Axis, y: Axis, xs: [Double], ys: [Double], keys: [Key], across: Bool = true) {
    self.width = width
    self.height = height
    self.x = x
    self.y = y
    let rows = keys.count > 1 ? Drawing.rows(keys, width: width) : []
    let top = (rows.isEmpty ? 26 : 30) + Double(rows.count) * 19
    let bottom = height - (across ? 40 : 26)
    yTicks = Ticks(y, values: ys, wanted: height < 260 ? 4 : 5)
    let left = 8 + (yTicks.labels.map { Lettering.width($0) }.max() ?? 20)
    frame = Box(left: left, top: top, right: width - 12, bottom: max(bottom, top + 40))
    var wanted = min(8, max(2, Int(frame.width / 56)))
    var ticks = Ticks(x, values: xs, wanted: wanted, exact: x.scale == .linear)
    while wanted > 1, ticks.labels.reduce(0, { $0 + Lettering.width($1) + 12 }) > frame.width {
      wanted -= 1
      ticks = Ticks(x, values: xs, wanted: wanted, exact: x.scale == .linear)
    }
    xTicks = ticks
    content += "<text x=\"2\" y=\"12\" class=\"muted\">\(Drawing.heading(y, yTicks, width: width - 4))</text>"
    for (row, entries) in rows.enumerated() { legend(entries, y: 31 + Double(row) * 19) }
    grid(across: across)
  }

  /// The axis's label with the unit its marks are in.
  static func heading(_ axis: Axis, _ ticks: Ticks, width: Double) -> String {
    Lettering.fit(ticks.unit.map { "\(axis.label), \($0)" } ?? axis.label, into: width)
  }

  /// The place of a point on the drawing; `nil` if a scale has none for it.
  func place(_ point: Point) -> Point? {
    guard let across = xTicks.position(point.x, x.scale), let up = yTicks.position(point.y, y.scale) else { return nil }
    return Point(frame.left + across * frame.width, frame.bottom - up * frame.height)
  }

  private mutating func grid(across: Bool) {
    for (value, label) in zip(yTicks.values, yTicks.labels) {
      guard let up = yTicks.position(value, y.scale) else { continue }
      let level = frame.bottom - up * frame.height
      content += """
        <path class="grid" d="M\(at: frame.left) \(at: level)H\(at: frame.right)"/>\
        <text x="\(at: frame.left - 5)" y="\(at: level + 4)" text-anchor="end" class="muted">\(label)</text>
        """
    }
    if across {
      for (value, label) in zip(xTicks.values, xTicks.labels) {
        guard let share = xTicks.position(value, x.scale) else { continue }
        let column = frame.left + share * frame.width
        let half = Lettering.width(label) / 2
        content += """
          <path class="axis" d="M\(at: column) \(at: frame.bottom)v4"/>\
          <text x="\(at: min(column, width - half - 1))" y="\(at: frame.bottom + 17)" text-anchor="middle" class="muted">\(label)</text>
          """
      }
    }
    let label = across ? Drawing.heading(x, xTicks, width: frame.width) : Lettering.fit(x.label, into: frame.width)
    content += """
      <path class="axis" d="M\(at: frame.left) \(at: frame.bottom)H\(at: frame.right)"/>\
      <text x="\(at: frame.right)" y="\(at: height - 6)" text-anchor="end" class="muted">\(label)</text>
      """
  }

  // MARK: Legend

  private static func extent(_ key: Key) -> Double { 26 + Lettering.width(key.name) + 14 }

  /// The legend's entries in rows that fit the width.
  private static func rows(_ keys: [Key], width: Double) -> [[Key]] {
    var rows: [[Key]] = []
    var used = Double.infinity
    for key in keys {
      if used + extent(key) > width + 14 {
        rows.append([])
        used = 0
      }
      rows[rows.count - 1].append(key)
      used += extent(key)
    }
    return rows
  }

  private mutating func legend(_ keys: [Key], y: Double) {
    var left = 2.0
    for key in keys {
      switch key {
      case .line(_, let tint, .dots, _):
        content += "<circle cx=\"\(at: left + 9)\" cy=\"\(at: y - 4)\" r=\"4\" style=\"fill:\(tint.paint)\"/>"
      case .line(_, let tint, let style, let dash):
        content += "<path class=\"\(style.mark)\"\(dash) style=\"stroke:\(tint.paint)\" d=\"M\(at: left) \(at: y - 4)h19\"/>"
      case .area(_, let tint):
        content +=
          "<rect class=\"band\" x=\"\(at: left)\" y=\"\(at: y - 10)\" width=\"19\" height=\"12\" style=\"fill:\(tint.paint)\"/>"
      case .ring(_, let tint):
        content += "<circle class=\"ring\" cx=\"\(at: left + 9)\" cy=\"\(at: y - 4)\" r=\"4\" style=\"stroke:\(tint.paint)\"/>"
      }
      let name = Lettering.fit(key.name, into: width - 28)
      content += "<text x=\"\(at: left + 24)\" y=\"\(at: y)\">\(name)</text>"
      left += Drawing.extent(key)
    }
  }

  // MARK: Reference lines

  /// Draws lines across the frame and writes their names and values where there is room.
  mutating func references(_ references: [LineChart.Reference], avoiding placement: Placement) {
    var placement = placement
    var named: [(text: String, level: Double, tint: Tint)] = []
    for reference in references {
      guard let up = yTicks.position(reference.value, y.scale), (-0.001...1.001).contains(up) else { continue }
      let text = Lettering.fit("\(reference.name) \(y.unit.written(reference.value))", into: frame.width - 8)
      named.append((text, frame.bottom - up * frame.height, reference.tint))
    }
    placement.levels = named.map(\.level)
    for name in named {
      content += """
        <path class="reference" style="stroke:\(name.tint.paint)" d="M\(at: frame.left) \(at: name.level)H\(at: frame.right)"/>
        """
    }
    for name in named {
      let start = placement.name(name.text, at: name.level)
      content +=
        "<text class=\"name\" x=\"\(at: start.x)\" y=\"\(at: start.y)\" style=\"fill:\(name.tint.paint)\">\(name.text)</text>"
    }
  }

  /// A name that may stand in an attribute and in a reference to it.
  static func name(_ identifier: String) -> String {
    String(identifier.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
  }

  /// The finished SVG element; what is drawn inside the clip path never leaves the frame.
  static func svg(
    _ identifier: String, _ title: String, _ description: String, _ width: Double, _ height: Double, _ content: Markup
  )
    -> Markup
  {
    let name = Drawing.name(identifier)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(at: width) \(at: height)" role="img" \
      aria-labelledby="\(name)-t \(name)-d" font-family="system-ui,-apple-system,'Segoe UI',Roboto,sans-serif" font-size="12">\
      <title id="\(name)-t">\(title)</title><desc id="\(name)-d">\(description)</desc>\(Tint.sheet)\(content)</svg>
      """
  }
}

extension Tint {
  /// The colour as CSS: the page's variable, or a colour for light backgrounds where there is none.
  var paint: Markup {
    let fallback = ["#0b62c4", "#b94a08", "#007a63", "#8544b0", "#806400", "#b82a76", "#1f7fa8", "#5c6775"][index]
    return "var(--c\(index), \(fallback))"
  }

  /// What the classes used in charts mean.
  static let sheet: Markup = """
    <style>text{fill:var(--ink,#16202b)}text.muted{fill:var(--muted,#566373)}\
    .grid{stroke:var(--grid,#e2e7ed);stroke-width:1;fill:none}.axis{stroke:var(--axis,#98a4b3);stroke-width:1;fill:none}\
    .line{fill:none;stroke-width:2.25;stroke-linejoin:round;stroke-linecap:round}.dashed{stroke-dasharray:6 5}\
    .steps{fill:none;stroke-width:1.3;stroke-linejoin:round}.band{opacity:.2;stroke:none}.reference{fill:none;stroke-width:1.5;stroke-dasharray:2 4;stroke-linecap:round}\
    .ring{fill:var(--card,#fff);stroke-width:2}.stem{stroke-width:1.5;opacity:.55}\
    .name{font-weight:600;paint-order:stroke;stroke:var(--card,#fff);stroke-width:4px;stroke-linejoin:round}\
    .hit{fill:var(--ink,#16202b);opacity:0}.hit:hover{opacity:.08}</style>
    """
}

extension LineChart.Style {
  /// The class of a line.
  var mark: Markup {
    switch self {
    case .straight, .dots: "line"
    case .steps: "line steps"
    case .dashed: "line dashed"
    }
  }
}

extension Axis.Unit {
  /// A value of the axis, written with its unit.
  func written(_ value: Double) -> String {
    switch self {
    case .whole: Numerals.trimmed(value, places: 1)
    case .number:
      abs(value) >= 1000 ? Numerals.decimal(value, places: 0) : Numerals.trimmed(value, places: abs(value) < 1 ? 3 : 1)
    case .percent: Numerals.percent(value)
    case .time: Numerals.duration(value)
    case .bytes: Numerals.bytes(value)
    }
  }
}
