import Foundation
import Synchronization

/// Standard error as a place for progress: one line rewritten on a terminal; elsewhere, as in a log file, a line for each phase
/// and for each quarter of a long one.
final class Console: Sendable {
  private struct State {
    var label = ""
    /// How many columns the line that is rewritten takes up; 0 if there is none.
    var width = 0
    var quarter = 0
    var spoken = ContinuousClock.now
  }

  /// There is one standard error, so all consoles share what is on it.
  private static let state = Mutex(State())
  /// A quarter of a phase is worth a line if that long has passed without one.
  private static let silence = Duration.seconds(2)

  /// Whether a person watches.
  let isTerminal = isatty(STDERR_FILENO) != 0
  /// Whether standard output may be coloured.
  let isColoured = isatty(STDOUT_FILENO) != 0 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

  /// Says how far a phase of the work is, with the latest of it in a few words.
  func progress(_ label: String, _ share: Double, _ detail: String = "") {
    let share = share.isNaN ? 0 : min(max(share, 0), 1)
    Console.state.withLock { state in
      if isTerminal { redraw(&state, label, share, detail) } else { log(&state, label, share, detail) }
    }
  }

  private func redraw(_ state: inout State, _ label: String, _ share: Double, _ detail: String) {
    let percent = Int((share * 100).rounded(.down))
    let bar = String(repeating: "█", count: percent / 5) + String(repeating: "░", count: 20 - percent / 5)
    // A line that is longer than the terminal is wide could not be taken back.
    let line = String("\(label) \(bar) \(percent) %  \(detail)".prefix(max((Console.columns(STDERR_FILENO) ?? 80) - 1, 10)))
    write("\r" + line + String(repeating: " ", count: max(state.width - line.count, 0)))
    state.width = line.count
  }

  private func log(_ state: inout State, _ label: String, _ share: Double, _ detail: String) {
    let name = label.reversed().drop { $0 == " " }.reversed()
    let quarter = Int(share * 4)
    if label != state.label {
      (state.label, state.quarter, state.spoken) = (label, quarter, .now)
      // A phase whose first word is that it is over needs none.
      if share < 1 { write("\(String(name)) …\n") }
    } else if quarter > state.quarter {
      state.quarter = quarter
      guard share < 1, state.spoken.duration(to: .now) >= Console.silence else { return }
      state.spoken = .now
      write("\(String(name)): \(quarter * 25) %\(detail.isEmpty ? "" : ", \(detail)")\n")
    }
  }

  /// How many columns there are for what is shown on standard output.
  var width: Int { min(max((Console.columns(STDOUT_FILENO) ?? 91) - 1, 40), 110) }

  /// How many columns there are for a table of many: all that a terminal has, and where there is none, as many as the table takes.
  var tableWidth: Int { Console.columns(STDOUT_FILENO).map { max($0 - 1, 40) } ?? 240 }

  /// How many columns a terminal has; `nil` if it is none.
  static func columns(_ stream: Int32) -> Int? {
    var size = winsize()
    return unsafe ioctl(stream, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
  }

  /// Takes the progress line away; what comes next is a phase of its own.
  func clear() {
    Console.state.withLock { state in
      if isTerminal, state.width > 0 { write("\r" + String(repeating: " ", count: state.width) + "\r") }
      state = State()
    }
  }

  /// Says something on standard error.
  func say(_ text: String) {
    Console.state.withLock { state in
      if isTerminal, state.width > 0 { write("\r" + String(repeating: " ", count: state.width) + "\r") }
      state.width = 0
      write(text + "\n")
    }
  }

  /// Prints a result on standard output.
  func show(_ text: String) {
    clear()
    try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
  }

  private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
