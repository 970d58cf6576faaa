import MurmurReports
import Testing

@Suite("Charts: pictures that can be read")
struct ChartsTests {
  @Test(
    "marks stand at round numbers",
    arguments: [
      (Axis("y"), [0.0, 10], ["0", "2", "4", "6", "8", "10"]),
      (Axis("y"), [0.13, 0.87], ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
      (Axis("y"), [-3.0, 7], ["−4", "−2", "0", "2", "4", "6", "8"]),
      (Axis("y", unit: .percent, limits: 0...100), [83.0, 97.2], ["80 %", "85 %", "90 %", "95 %", "100 %"]),
      (Axis("y", unit: .percent, limits: 75...100), [11.0, 97.2], ["75 %", "80 %", "85 %", "90 %", "95 %", "100 %"]),
      (Axis("y", unit: .whole, includes: [0]), [1.0], ["0", "1"]),
      (Axis("t", unit: .time), [0.0, 12_000], ["0", "60", "120", "180", "240"]),
      (Axis("t", unit: .time), [0.0, 86_400], ["0", "6", "12", "18", "24"]),
      (Axis("b", unit: .bytes, includes: [0]), [3_300_000], ["0", "1", "2", "3", "4"]),
      (Axis("n", scale: .logarithmic), [3.0, 40_000], ["1", "10", "100", "1,000", "10,000", "100,000"]),
      (Axis("n", unit: .bytes, scale: .logarithmic), [2000, 9000], ["1.00 kB", "2.00 kB", "5.00 kB", "10.0 kB"]),
      (Axis("y"), [5.0], ["4.4", "4.6", "4.8", "5.0", "5.2", "5.4", "5.6"]),
      (Axis("y"), [], ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
      (Axis("y"), [.nan, .infinity], ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ])
  func marks(axis: Axis, values: [Double], labels: [String]) { #expect(Ticks(axis, values: values).labels == labels) }

  @Test("whatever the values, marks are few, ordered, different and in sight", arguments: [UInt64(1), 2, 3, 4])
  func anyValues(seed: UInt64) {
    var chance = Samples(seed: seed)
    for _ in 0..<2000 {
      let values = (0..<2).map { _ in Double(bitPattern: chance.next()) }.filter { abs($0) < 1e100 }
      let unit = [Axis.Unit.number, .percent, .time, .bytes, .whole][Int(chance.next() % 5)]
      let scale = chance.next() % 3 == 0 ? Axis.Scale.logarithmic : .linear
      let ticks = Ticks(Axis("y", unit: unit, scale: scale), values: values, wanted: 5, exact: chance.next() % 2 == 0)
      #expect(ticks.range.lowerBound < ticks.range.upperBound, "seed \(seed), \(values)")
      #expect(ticks.values.count <= 42 && ticks.labels.count == ticks.values.count, "seed \(seed), \(values)")
      #expect(zip(ticks.values, ticks.values.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed), \(values)")
      for value in values where scale == .linear || value >= 1e-290 {
        let place = ticks.position(value, scale)
        #expect(place.map { $0 > -1e-6 && $0 < 1 + 1e-6 } == true, "seed \(seed), \(values), \(unit), \(scale), \(ticks.range)")
      }
    }
  }

  @Test("the logarithm is one", arguments: [1.0, 2, 10, 1024, 0.001, 1.9999, 1.414, 3e100])
  func logarithm(value: Double) {
    // log2(x²) = 2 log2(x), log2(2x) = 1 + log2(x), and powers of two are exact.
    #expect(abs(Logarithm.of(value * value) - 2 * Logarithm.of(value)) < 1e-10)
    #expect(abs(Logarithm.of(value * 2) - 1 - Logarithm.of(value)) < 1e-12)
    #expect(Logarithm.of(4096) == 12 && Logarithm.of(0.25) == -2)
    #expect(abs(Logarithm.of(10) - 3.321_928_094_887_362) < 1e-12)
  }

  static let axis = Axis("y")
  static let curiosities: [(name: String, chart: Chart)] = [
    ("no lines", .line(LineChart(y: axis, lines: []))),
    ("an empty line", .line(LineChart(y: axis, lines: [.init("a", points: [], tint: .alone)]))),
    ("one point", .line(LineChart(y: axis, lines: [.init("a", points: [Point(0, 5)], tint: .alone)]))),
    (
      "no finite point",
      .line(LineChart(y: axis, lines: [.init("a", points: [Point(.nan, 1), Point(1, .infinity)], tint: .alone, style: .steps)]))
    ),
    (
      "a broken line over a wild range",
      .line(
        LineChart(
          x: Axis("x"), y: Axis("y", scale: .logarithmic),
          lines: [.init("a", points: [Point(0, -1), Point(1, 1e-300), Point(2, .nan), Point(3, 1e300)], tint: Tint(-5))],
          references: [.init("r", value: .nan, tint: Tint(99)), .init("zero", value: 0, tint: Tint(3))]))
    ),
    (
      "a band without a line",
      .line(
        LineChart(
          y: axis,
          lines: [
            .init("a", points: [], band: .init("b", lower: [Point(0, 1)], upper: [Point(0, 2), Point(1, 3)]), tint: .alone)
          ]))
    ),
    ("no bars", .bar(BarChart(axis: axis, series: [], categories: []))),
    (
      "bars below zero, missing and not finite",
      .bar(
        BarChart(
          axis: axis, series: [.init("s", tint: .alone), .init("t", tint: .central)],
          categories: [
            .init("c", [-1, nil]), .init("a very long name that cannot stand beside its bars at all", [.nan]), .init("", []),
          ],
          references: [.init("r", value: 3, tint: .central)]))
    ),
    (
      "no pairs",
      .pairs(PairChart(axis: axis, label: "l", first: .init("f", tint: .alone), second: .init("s", tint: .together), pairs: []))
    ),
    (
      "hostile names",
      .line(
        LineChart(
          x: Axis("<x>&\"'"), y: Axis("</text><script>"),
          lines: [.init("<script>alert(1)</script>", points: [Point(0, 1), Point(1, 2)], tint: .alone, style: .dashed)],
          references: [.init("]]>&\u{0}\u{b}\u{ffff}", value: 1.5, tint: .central)]))
    ),
  ]

  @Test("odd charts are well-formed SVG without a number that is none", arguments: curiosities.map(\.name))
  func odd(name: String) throws {
    let chart = try #require(Self.curiosities.first { $0.name == name }).chart
    let svg = chart.svg(identifier: "i\"><x", title: "<t> & \u{1}", description: "\"d'")
    for wrong in ["nan", "inf", "<script"] { #expect(!svg.contains(wrong), "\(wrong) in \(name)") }
    #expect(svg.contains("role=\"img\"") && svg.contains("aria-labelledby"))
    if Python.exists {
      #expect(
        try Python.run("import sys,xml.dom.minidom as m; print(m.parse(sys.stdin).documentElement.tagName)", on: svg) == "svg\n")
    }
  }

  @Test("thinning keeps ends and peaks", arguments: [UInt64(1), 2])
  func thinning(seed: UInt64) {
    var chance = Samples(seed: seed)
    var points = (0..<10_000).map { Point(Double($0), chance.uniform()) }
    points[4321].y = 9
    points[777].y = -9
    let thin = LineChart.thinned(points)
    #expect(thin.count <= 604 && thin.first == points.first && thin.last == points.last)
    #expect(thin.contains(points[4321]) && thin.contains(points[777]))
    #expect(zip(thin, thin.dropFirst()).allSatisfy { $0.x < $1.x }, "seed \(seed)")
    #expect(LineChart.thinned(Array(points.prefix(600))).count == 600)
  }

  @Test("no text of a run's pictures leaves the picture, and no two texts lie on each other", .enabled(if: Python.exists))
  func overlaps() throws {
    var reports = [Samples.run(), Samples.run(peers: 3, offline: 0, length: 1), Samples.run(peers: 500, offline: 0.4)]
    reports[1].result.central = 97.0
    reports[1].result.alone = Distribution(mean: 96.95, deviation: 0.1, minimum: 96.9, maximum: 97)
    let comparison = Samples.comparison([0, 0.2, 0.4, 0.6, 0.8])
    var drawn = ""
    for figure
      in (reports.flatMap { report in Subject.allCases.compactMap(report.figure) }
      + Subject.allCases.compactMap(comparison.figure))
    {
      for width in [360.0, 380, 800] {
        let svg = figure.chart.svg(identifier: "x", title: figure.title, width: width, height: 270)
        drawn += "<drawing name=\"\(Markup.escape(figure.title)) at \(width)\">\(svg)</drawing>"
      }
    }
    #expect(try Python.run(Self.overlapFinder, on: "<all>\(drawn)</all>") == "")
  }

  /// Prints texts that overlap or leave the picture, by a rather narrow estimate of their width.
  static let overlapFinder = """
    import sys, xml.etree.ElementTree as t
    for drawing in t.parse(sys.stdin).getroot():
        root = drawing[0]
        width, height = map(float, root.get('viewBox').split()[2:])
        boxes = []
        for e in root.iter('{http://www.w3.org/2000/svg}text'):
            x, y, w = float(e.get('x')), float(e.get('y')), 6.2 * len(e.text)
            x -= {'middle': w / 2, 'end': w}.get(e.get('text-anchor'), 0)
            boxes.append((x, y - 9, x + w, y + 2, e.text))
        for i, a in enumerate(boxes):
            if a[0] < -3 or a[2] > width + 3 or a[1] < 0 or a[3] > height: print('outside', a, drawing.get('name'))
            for b in boxes[:i]:
                if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1:
                    print('overlap', a, b, drawing.get('name'))
    """
}
