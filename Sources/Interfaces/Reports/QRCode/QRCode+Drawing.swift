/// A QR code for people: on a terminal, or as a drawing.
extension QRCode {
  /// Light modules around the code, which a camera needs.
  static let quiet = 4

  /// How many columns and lines the code takes on a terminal.
  public var terminalSize: (columns: Int, lines: Int) { (size + 2 * QRCode.quiet, (size + 2 * QRCode.quiet + 1) / 2) }

  /// The code as lines of half blocks, two rows of modules a line.
  ///
  /// With `colour` black on white is set by escape sequences, whatever colours the terminal has; without, light modules are drawn and dark
  /// ones left out, which is right where text is light on a dark ground.
  public func terminal(colour: Bool) -> String {
    var text = ""
    for row in stride(from: -QRCode.quiet, to: size + QRCode.quiet, by: 2) {
      if colour { text += "\u{1b}[38;5;16;48;5;231m" }
      for column in -QRCode.quiet..<size + QRCode.quiet {
        let isLast = row + 1 >= size + QRCode.quiet
        let (upper, lower) = (self[row, column] == colour, isLast ? !colour : self[row + 1, column] == colour)
        text += upper ? lower ? "█" : "▀" : lower ? "▄" : " "
      }
      text += colour ? "\u{1b}[0m\n" : "\n"
    }
    return text
  }

  /// The code as an SVG drawing, one path of dark squares on white.
  public func svg(title: String) -> String {
    let side = size + 2 * QRCode.quiet
    var path = ""
    for row in 0..<size {
      var column = 0
      while column < size {
        guard self[row, column] else {
          column += 1
          continue
        }
        var end = column
        while self[row, end] { end += 1 }
        path += "M\(column + QRCode.quiet) \(row + QRCode.quiet)h\(end - column)v1h-\(end - column)z"
        column = end
      }
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" width="\(side * 8)" height="\(side * 8)" \
      shape-rendering="crispEdges" role="img"><title>\(Markup.escape(title))</title>\
      <rect width="\(side)" height="\(side)" fill="#fff"/><path d="\(path)" fill="#000"/></svg>

      """
  }
}
