extension BarChart {
  func drawn(_ identifier: String, _ title: String, _ description: String, _ width: Double) -> Markup {
    let values = categories.flatMap { $0.values.prefix(series.count).compactMap { $0 } }.filter(\.isFinite)
    var zeroed = axis
    if axis.scale == .linear { zeroed.includes.append(0) }
    let labels = categories.map { Lettering.width($0.name) }.max() ?? 0
    let beside = labels <= width * 0.34
    let ends = values.map { Lettering.width(written($0)) }.max() ?? 20
    let left = beside ? labels + 10 : 4
    let right = width - ends - 14
    var content: Markup = "<text x=\"2\" y=\"12\" class=\"muted\">\(Lettering.fit(axis.label, into: width - 4))</text>"
    var top = 22.0
    if series.count > 1 {
      for entry in series {
        content += """
          <rect x="2" y="\(at: top)" width="19" height="11" rx="2" style="fill:\(entry.tint.paint)"/>\
          <text x="26" y="\(at: top + 10)">\(Lettering.fit(entry.name, into: width - 30))</text>
          """
        top += 18
      }
    }
    let ticks = Ticks(zeroed, values: values + references.map(\.value), wanted: 4)
    func place(_ value: Double) -> Double { left + min(max(ticks.position(value, axis.scale) ?? 0, 0), 1) * (right - left) }
    let linesTop = top
    var lines: [(column: Double, tint: Tint)] = []
    for reference in references {
      let text = "\(reference.name) \(written(reference.value))"
      let column = place(reference.value)
      let half = Lettering.width(text) / 2
      content += """
        <text x="\(at: min(max(column, half + 2), width - half - 2))" y="\(at: top + 11)" text-anchor="middle" \
        style="fill:\(reference.tint.paint)" font-weight="600">\(text)</text>
        """
      lines.append((column, reference.tint))
      top += 17
    }
    let (bars, bottom) = rows(from: top, left: left, width: width, beside: beside, zero: place(0), place: place)
    for (index, line) in lines.enumerated() {
      content += """
        <path class="reference" style="stroke:\(line.tint.paint)" \
        d="M\(at: line.column) \(at: linesTop + Double(index) * 17 + 15)V\(at: bottom)"/>
        """
    }
    content += bars
    content += "<path class=\"axis\" d=\"M\(at: place(0)) \(at: top + 2)V\(at: bottom)\"/>"
    return Drawing.svg(identifier, title, description, width, bottom + 6, content)
  }

  /// A value with its unit, all plain numbers to the same digit.
  private func written(_ value: Double) -> String {
    guard axis.unit == .number else { return axis.unit.written(value) }
    let values = categories.flatMap { $0.values.compactMap { $0 } }.filter(\.isFinite)
    let largest = values.map(abs).max() ?? 0
    let whole = values.allSatisfy { $0 == $0.rounded() }
    return Numerals.decimal(value, places: whole || largest >= 1000 ? 0 : largest >= 100 ? 1 : largest >= 0.1 ? 2 : 4)
  }

  private func rows(
    from start: Double, left: Double, width: Double, beside: Bool, zero: Double, place: (Double) -> Double
  ) -> (Markup, bottom: Double) {
    var content = Markup()
    var top = start + 6
    let thick = series.count > 1 ? 13.0 : 17.0
    for category in categories {
      let height = thick * Double(series.count)
      if beside {
        content += """
          <text x="\(at: left - 6)" y="\(at: top + height / 2 + 4)" text-anchor="end">\(category.name)</text>
          """
      } else {
        content += "<text x=\"2\" y=\"\(at: top + 10)\">\(Lettering.fit(category.name, into: width - 4))</text>"
        top += 16
      }
      for (index, entry) in series.enumerated() {
        let value = index < category.values.count ? category.values[index] : nil
        guard let value, value.isFinite else {
          content += "<text class=\"muted\" x=\"\(at: zero + 5)\" y=\"\(at: top + thick - 3)\">\(Numerals.unknown)</text>"
          top += thick
          continue
        }
        let end = place(value)
        content += """
          <rect x="\(at: min(zero, end))" y="\(at: top + 1)" width="\(at: max(abs(end - zero), 1))" height="\(at: thick - 2)" \
          rx="2" style="fill:\(entry.tint.paint)"/>\
          <text class="name" x="\(at: max(zero, end) + 5)" y="\(at: top + thick / 2 + 4.2)">\(written(value))</text>
          """
        top += thick
      }
      top += 9
    }
    return (content, top)
  }
}
