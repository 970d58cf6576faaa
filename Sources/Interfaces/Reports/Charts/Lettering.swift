/// How wide text is in a chart, by estimate: there is no font to ask, so it errs on the wide side.
package enum Lettering {
  /// The height of ordinary chart text, in units.
  package static let size = 12.0

  /// The estimated width of `text` at the given size.
  package static func width(_ text: String, size: Double = size) -> Double {
    text.unicodeScalars.reduce(0) { sum, scalar in sum + width(of: scalar) } * size
  }

  private static func width(of scalar: Unicode.Scalar) -> Double {
    switch scalar {
    case " ", ".", ",", ":", ";", "'", "|", "i", "j", "l", "I", "!", "·": 0.33
    case "f", "t", "r", "(", ")", "[", "]", "/", "-", "\"": 0.42
    case "m", "w", "M", "W", "%", "@", "—", "…": 0.98
    case "A"..."Z": 0.72
    case _ where scalar.value >= 0x1100: 1.05
    default: 0.62
    }
  }

  /// `text`, cut off with an ellipsis so that it is no wider than `limit`.
  package static func fit(_ text: String, into limit: Double, size: Double = size) -> String {
    guard width(text, size: size) > limit else { return text }
    var result = ""
    var used = width("…", size: size)
    for character in text {
      used += width(String(character), size: size)
      if used > limit { break }
      result.append(character)
    }
    return result + "…"
  }
}

/// A rectangle on the drawing, upright.
package struct Box: Hashable, Sendable {
  var left: Double
  var top: Double
  var right: Double
  var bottom: Double

  var width: Double { right - left }
  var height: Double { bottom - top }

  func contains(_ point: Point, margin: Double = 0) -> Bool {
    point.x >= left - margin && point.x <= right + margin && point.y >= top - margin && point.y <= bottom + margin
  }

  func overlap(_ other: Box) -> Double {
    max(0, min(right, other.right) - max(left, other.left)) * max(0, min(bottom, other.bottom) - max(top, other.top))
  }
}

/// Finds room for names inside a plot: away from the curves, from each other and from the borders.
struct Placement {
  /// Where names may stand.
  let frame: Box
  /// Points on curves, dense enough that none passes through a name unseen.
  var curves: [Point] = []
  /// Horizontal lines across the frame.
  var levels: [Double] = []
  private var taken: [Box] = []

  init(frame: Box) { self.frame = frame }

  /// Adds a curve through the given points.
  mutating func avoid(_ line: [Point]) {
    guard var last = line.first else { return }
    curves.append(last)
    for point in line.dropFirst() {
      let distance = max(abs(point.x - last.x), abs(point.y - last.y))
      let steps = max(1, min(200, Int(distance / 4)))
      for step in 1...steps {
        let share = Double(step) / Double(steps)
        curves.append(Point(last.x + (point.x - last.x) * share, last.y + (point.y - last.y) * share))
      }
      last = point
    }
  }

  /// The best baseline start for `text` just above or below the level `y`; what it covers is taken from then on.
  mutating func name(_ text: String, at y: Double) -> Point {
    let width = Lettering.width(text, size: Lettering.size * 1.1)  // names are bold
    let room = max(0, frame.width - width - 8)
    var best = Point(frame.left + 4, y - 5)
    var least = Double.infinity
    for step in [8, 0, 7, 1, 6, 2, 5, 3, 4] {
      for (order, below) in [false, true].enumerated() {
        let start = Point(frame.left + 4 + room * Double(step) / 8, below ? y + Lettering.size + 1 : y - 5)
        let box = box(width, at: start)
        var cost = Double(order) * 0.5 + Double(curves.reduce(0) { $0 + (box.contains($1, margin: 2) ? 1 : 0) })
        cost += levels.reduce(0) { $0 + (abs($1 - y) > 0.5 && $1 > box.top && $1 < box.bottom ? 12 : 0) }
        cost += taken.reduce(0) { $0 + $1.overlap(box) }
        if box.top < frame.top - 1 || box.bottom > frame.bottom + 1 { cost += 400 }
        if cost < least { (least, best) = (cost, start) }
      }
    }
    taken.append(box(width, at: best))
    return best
  }

  private func box(_ width: Double, at start: Point) -> Box {
    Box(left: start.x, top: start.y - Lettering.size * 0.85, right: start.x + width, bottom: start.y + Lettering.size * 0.25)
  }
}
