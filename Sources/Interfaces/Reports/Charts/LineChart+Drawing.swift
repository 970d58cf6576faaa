extension LineChart {
  func drawn(_ identifier: String, _ title: String, _ description: String, _ width: Double, _ height: Double) -> Markup {
    let borders = lines.flatMap { ($0.band?.lower ?? []) + ($0.band?.upper ?? []) }
    let all = lines.flatMap(\.points) + borders
    let keys = lines.enumerated().flatMap { index, line -> [Drawing.Key] in
      let own = Drawing.Key.line(line.name, line.tint, line.style, dash: dash(index))
      return line.band.map { [own, .area($0.name, line.tint)] } ?? [own]
    }
    var drawing = Drawing(
      width: width, height: height, x: x, y: y, xs: all.map(\.x), ys: all.map(\.y) + references.map(\.value), keys: keys)
    guard all.contains(where: { drawing.place($0) != nil }) else {
      drawing.content += """
        <text class="muted" x="\(at: (drawing.frame.left + drawing.frame.right) / 2)" text-anchor="middle" \
        y="\(at: (drawing.frame.top + drawing.frame.bottom) / 2)">nothing was recorded</text>
        """
      return Drawing.svg(identifier, title, description, width, height, drawing.content)
    }
    var placement = Placement(frame: drawing.frame)
    let frame = drawing.frame
    let clip = Drawing.name(identifier) + "-c"
    drawing.content += """
      <clipPath id="\(clip)"><rect x="\(at: frame.left)" y="\(at: frame.top - 2)" width="\(at: frame.width + 2)" \
      height="\(at: frame.height + 3)"/></clipPath><g clip-path="url(#\(clip))">
      """
    for line in lines.reversed() {
      if let band = line.band { draw(band, line.tint, into: &drawing) }
    }
    for index in lines.indices.reversed() { draw(index, into: &drawing, avoiding: &placement) }
    drawing.content += "</g>"
    drawing.references(references, avoiding: placement)
    hover(into: &drawing)
    return Drawing.svg(identifier, title, description, width, height, drawing.content)
  }

  private func draw(_ band: Band, _ tint: Tint, into drawing: inout Drawing) {
    let upper = LineChart.thinned(band.upper.compactMap { drawing.place($0) })
    let lower = LineChart.thinned(band.lower.compactMap { drawing.place($0) })
    guard let first = upper.first, !lower.isEmpty else { return }
    var path: Markup = "M\(at: first.x) \(at: first.y)"
    for point in upper.dropFirst() + lower.reversed() { path += "L\(at: point.x) \(at: point.y)" }
    drawing.content += "<path class=\"band\" style=\"fill:\(tint.paint)\" d=\"\(path)Z\"/>"
  }

  /// The dashes of a line, so that many lines can be told apart without their colours; none for few lines, and none for steps, whose
  /// many corners would swallow them.
  private func dash(_ index: Int) -> Markup {
    guard lines.count > 2, lines[index].style == .straight else { return Markup() }
    switch index % 5 {
    case 1: return " stroke-dasharray=\"9 4\""
    case 2: return " stroke-dasharray=\"3 4\""
    case 3: return " stroke-dasharray=\"10 4 2 4\""
    case 4: return " stroke-dasharray=\"0.5 4\""
    default: return Markup()
    }
  }

  private func draw(_ index: Int, into drawing: inout Drawing, avoiding placement: inout Placement) {
    let line = lines[index]
    if line.style == .dots {
      for place in LineChart.thinned(line.points.compactMap({ drawing.place($0) })) {
        drawing.content += "<circle cx=\"\(at: place.x)\" cy=\"\(at: place.y)\" r=\"3\" style=\"fill:\(line.tint.paint)\"/>"
        placement.curves.append(place)
      }
      return
    }
    var path = Markup()
    for piece in line.points.split(whereSeparator: { drawing.place($0) == nil }) {
      var places = LineChart.thinned(piece.compactMap { drawing.place($0) })
      if line.style == .steps { places = LineChart.stepped(places) }
      placement.avoid(places)
      if line.style == .steps, lines.count == 1, let first = places.first, let last = places.last {
        let floor = drawing.frame.bottom
        let top = Markup.joined(places.map { place -> Markup in "L\(at: place.x) \(at: place.y)" })
        drawing.content += """
          <path class="band" style="fill:\(line.tint.paint)" d="M\(at: first.x) \(at: floor)\(top)L\(at: last.x) \(at: floor)Z"/>
          """
      }
      for (index, place) in places.enumerated() { path += "\(index == 0 ? "M" : "L")\(at: place.x) \(at: place.y)" }
      if let only = places.first, places.count == 1 {
        drawing.content += "<circle cx=\"\(at: only.x)\" cy=\"\(at: only.y)\" r=\"4\" style=\"fill:\(line.tint.paint)\"/>"
      }
    }
    drawing.content += "<path class=\"\(line.style.mark)\"\(dash(index)) style=\"stroke:\(line.tint.paint)\" d=\"\(path)\"/>"
  }

  /// Invisible columns that say the values when pointed at.
  private func hover(into drawing: inout Drawing) {
    guard let points = lines.first?.points, points.count > 1 else { return }
    let stride = (points.count + 59) / 60
    let shown = Swift.stride(from: 0, to: points.count, by: stride).map { points[$0].x }
    let width = max(2, drawing.frame.width / Double(shown.count))
    for column in shown {
      var said = [x.unit.written(column)]
      for line in lines {
        guard let value = line.points.last(where: { $0.x <= column })?.y, value.isFinite else { continue }
        var text = "\(line.name): \(y.unit.written(value))"
        if let low = line.band?.lower.last(where: { $0.x <= column })?.y,
          let high = line.band?.upper.last(where: { $0.x <= column })?.y
        {
          text += " (\(y.unit.written(low)) to \(y.unit.written(high)))"
        }
        said.append(text)
      }
      guard let share = drawing.xTicks.position(column, x.scale) else { continue }
      let frame = drawing.frame
      let left = max(frame.left, min(frame.right - width, frame.left + share * frame.width - width / 2))
      drawing.content += """
        <rect class="hit" x="\(at: left)" y="\(at: frame.top)" width="\(at: width)" height="\(at: frame.height)">\
        <title>\(said.joined(separator: "\n"))</title></rect>
        """
    }
  }

  /// At most about 600 points that keep every peak: of each run of neighbours the first, lowest, highest and last.
  package static func thinned(_ points: [Point], limit: Int = 600) -> [Point] {
    guard points.count > limit else { return points }
    let size = (points.count * 4 + limit - 1) / limit
    var kept: [Point] = []
    for start in stride(from: 0, to: points.count, by: size) {
      let end = min(start + size, points.count)
      let low = (start..<end).min { points[$0].y < points[$1].y } ?? start
      let high = (start..<end).max { points[$0].y < points[$1].y } ?? start
      var last = -1
      for index in [start, min(low, high), max(low, high), end - 1] where index > last {
        kept.append(points[index])
        last = index
      }
    }
    return kept
  }

  /// The corners of a line that holds each value until the next point.
  private static func stepped(_ points: [Point]) -> [Point] {
    guard var last = points.first else { return [] }
    var corners = [last]
    for point in points.dropFirst() {
      if point.y != last.y { corners.append(Point(point.x, last.y)) }
      corners.append(point)
      last = point
    }
    return corners
  }
}
