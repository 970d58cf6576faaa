extension PairChart {
  /// More pairs than this are thinned to evenly spaced ranks.
  static let limit = 400

  func drawn(_ identifier: String, _ title: String, _ description: String, _ width: Double, _ height: Double) -> Markup {
    let finite = pairs.filter { $0.first.isFinite && $0.second.isFinite }
      .sorted { ($0.first, $0.second, $0.name) < ($1.first, $1.second, $1.name) }
    let step = max(1, (finite.count + PairChart.limit - 1) / PairChart.limit)
    let shown = stride(from: 0, to: finite.count, by: step).map { finite[$0] }
    var drawing = Drawing(
      width: width, height: height, x: Axis(label), y: axis, xs: [-0.5, Double(shown.count) - 0.5],
      ys: shown.flatMap { [$0.first, $0.second] } + references.map(\.value),
      keys: [.line(second.name, second.tint, .dots), .ring(first.name, first.tint)], across: false)
    var placement = Placement(frame: drawing.frame)
    let radius = min(5, max(1.2, drawing.frame.width / Double(max(shown.count, 1)) * 0.3))
    let stems = shown.count <= 80
    for (rank, pair) in shown.enumerated() {
      guard let before = drawing.place(Point(Double(rank), pair.first)),
        let after = drawing.place(Point(Double(rank), pair.second))
      else { continue }
      placement.curves += [before, after]
      let stem: Markup =
        "<path class=\"stem\" style=\"stroke:\(second.tint.paint)\" d=\"M\(at: before.x) \(at: before.y)V\(at: after.y)\"/>"
      let said =
        "\(pair.name)\n\(second.name): \(axis.unit.written(pair.second))\n\(first.name): \(axis.unit.written(pair.first))"
      drawing.content += """
        <g><title>\(said)</title>\(stems ? stem : Markup())\
        <circle class="ring" cx="\(at: before.x)" cy="\(at: before.y)" r="\(at: radius)" style="stroke:\(first.tint.paint)"/>\
        <circle cx="\(at: after.x)" cy="\(at: after.y)" r="\(at: radius)" style="fill:\(second.tint.paint)"/></g>
        """
    }
    drawing.references(references, avoiding: placement)
    return Drawing.svg(identifier, title, description, width, height, drawing.content)
  }
}
