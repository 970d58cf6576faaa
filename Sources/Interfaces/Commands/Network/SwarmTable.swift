import Foundation
import MurmurReports

/// What is seen of a swarm at one moment: a line for each process, and one for all.
package struct SwarmTable {
  /// What a process is doing.
  package enum State: String {
    case starting
    case running
    /// A fault of the scenario keeps it from everybody.
    case offline
    case killed
    case ended
    /// It ended by itself before the session did.
    case failed
  }

  /// One process.
  package struct Row {
    package var number: Int
    package var state: State
    package var cycle: Int?
    package var accuracy: Double?
    package var neighbours: Int?
    package var averages: Int?

    package init(number: Int, state: State, cycle: Int?, accuracy: Double?, neighbours: Int?, averages: Int?) {
      (self.number, self.state, self.cycle) = (number, state, cycle)
      (self.accuracy, self.neighbours, self.averages) = (accuracy, neighbours, averages)
    }
  }

  package var rows: [Row]
  /// Seconds since the session began; negative before.
  package var elapsed: Double
  package var length: Double

  package init(rows: [Row], elapsed: Double, length: Double) {
    (self.rows, self.elapsed, self.length) = (rows, elapsed, length)
  }

  /// The share of the session that is over.
  var share: Double { min(max(elapsed / length, 0), 1) }

  /// All processes in a few words.
  package var summary: String {
    var words: [String] = []
    for state in [State.starting, .running, .offline, .killed, .ended, .failed] {
      let count = rows.count { $0.state == state }
      if count > 0 { words.append("\(count) \(state.rawValue)") }
    }
    // Those that were killed have no say in how good the others are.
    let accuracies = rows.filter { $0.state != .killed }.compactMap(\.accuracy)
    if !accuracies.isEmpty {
      words.append(String(format: "%.1f %% accurate", accuracies.reduce(0, +) / Double(accuracies.count)))
    }
    return words.joined(separator: ", ")
  }

  /// The lines that a terminal of that size has room for.
  package func lines(columns: Int, rows room: Int) -> [String] {
    let percent = Int(share * 100)
    let bar = String(repeating: "█", count: percent / 5) + String(repeating: "░", count: 20 - percent / 5)
    let time = elapsed < 0 ? "begins in \(Int((-elapsed).rounded(.up))) s" : "\(Int(min(elapsed, length))) of \(Int(length)) s"
    var lines = ["\(bar) \(time)  \(summary)"]
    var table = Table(columns: [
      .number("peer"), .text("state"), .number("cycle"), .number("accuracy"), .number("peers"), .number("averages"),
    ])
    // A heading of two lines, and one for those that have no room.
    let most = max(room - 4, 1)
    let isCut = rows.count > most
    for row in isCut ? Array(rows.prefix(most - 1)) : rows {
      table.rows.append([
        "\(row.number)", row.state.rawValue, row.cycle.map { "\($0)" } ?? "–",
        row.accuracy.map { String(format: "%.1f %%", $0) } ?? "–", row.neighbours.map { "\($0)" } ?? "–",
        row.averages.map { "\($0)" } ?? "–",
      ])
    }
    lines += table.text(width: columns).split(separator: "\n").map(String.init)
    if isCut { lines.append("… and \(rows.count - most + 1) more peers; a taller terminal shows them") }
    return lines.map { String($0.prefix(columns)) }
  }
}

/// A block of lines at the end of a terminal that is drawn again in place.
final class LiveLines {
  private var shown = 0

  /// Replaces what was drawn before.
  func draw(_ lines: [String]) {
    // Up to the first line, each line anew, and nothing of a longer block before is left below.
    var text = shown > 0 ? "\u{1b}[\(shown)A\r" : "\r"
    for line in lines { text += line + "\u{1b}[K\n" }
    text += "\u{1b}[J"
    shown = lines.count
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }

  /// Columns and rows of the terminal on standard error; `nil` if it is none.
  static func size() -> (columns: Int, rows: Int)? {
    var size = winsize()
    guard isatty(STDERR_FILENO) != 0, unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
    else { return nil }
    return (Int(size.ws_col), Int(size.ws_row))
  }
}
