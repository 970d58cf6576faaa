import Foundation
import MurmurReports

/// What is seen of the processes of a split network at one moment.
struct SplitSwarmTable {
  let session: SplitSession
  let members: [SplitSwarm.Member]
  let elapsed: Double
  let seconds: Double

  private var step: Int { members.map(\.news.step).max() ?? 0 }

  /// The share of the training that is over.
  var share: Double { min(1, max(Double(step) / Double(max(1, session.steps)), elapsed / seconds)) }

  /// All devices in a few words.
  var summary: String {
    let alive = members.count { $0.process?.isRunning == true }
    let losses = members.filter { !$0.wasKilled }.compactMap(\.news.loss)
    let loss = losses.isEmpty ? "" : String(format: ", loss %.3f", losses.reduce(0, +) / Double(losses.count))
    return "\(alive) of \(members.count) devices, step \(step) of \(session.steps)\(loss)"
  }

  private func state(_ member: SplitSwarm.Member) -> String {
    if member.wasKilled { return "killed" }
    if member.isOver { return "ended" }
    guard let process = member.process else { return "starting" }
    if !process.isRunning { return "failed" }
    return member.hasTrained ? "trained" : member.hasBegun ? "training" : "starting"
  }

  /// The lines that a terminal of that size has room for.
  func lines(columns: Int, rows room: Int) -> [String] {
    let percent = Int(share * 100)
    let bar = String(repeating: "█", count: percent / 5) + String(repeating: "░", count: 20 - percent / 5)
    var lines = ["\(bar) \(Int(elapsed)) s  \(summary)"]
    var table = Table(columns: [
      .number("device"), .text("state"), .number("step"), .number("loss"), .number("pause"), .number("peers"), .number("missed"),
      .number("late"), .number("messages"),
    ])
    let most = max(room - 4, 1)
    let isCut = members.count > most
    for (number, member) in members.enumerated().prefix(isCut ? most - 1 : most) {
      table.rows.append([
        "\(number)", state(member), "\(member.news.step)", member.news.loss.map { String(format: "%.3f", $0) } ?? "–",
        String(format: "%.0f ms", max(member.pauses.before, member.pauses.after) * 1_000), "\(member.news.neighbours)",
        "\(member.news.missed)", "\(member.news.late)", "\(member.news.messages)",
      ])
    }
    lines += table.text(width: columns).split(separator: "\n").map(String.init)
    if isCut { lines.append("… and \(members.count - most + 1) more devices; a taller terminal shows them") }
    return lines.map { String($0.prefix(columns)) }
  }
}

/// What came of a swarm, for people and programs.
struct SplitSwarmReport {
  let session: SplitSession
  let members: [SplitSwarm.Member]
  let outcome: SplitSwarm.Outcome

  private var survivors: [SplitSwarm.Member] { members.filter { !$0.wasKilled } }
  private var pauseBefore: Double { survivors.map(\.pauses.before).max() ?? 0 }
  private var pauseAfter: Double { survivors.map(\.pauses.after).max() ?? 0 }
  private func sum(_ figure: (SplitSwarm.News) -> Int) -> Int { members.reduce(0) { $0 + figure($1.news) } }
  private var stepsASecond: Double {
    let rates = survivors.compactMap { member -> Double? in
      guard let first = member.first, member.news.at > first.at else { return nil }
      return Double(member.news.step - first.step) / (member.news.at - first.at)
    }
    return rates.isEmpty ? 0 : rates.reduce(0, +) / Double(rates.count)
  }

  private func json(_ asked: SplitSwarm.Asked?) -> JSON {
    guard let asked else { return .null }
    return .object([
      .init("accuracy", .optional(asked.accuracy)), .init("devices", .integer(asked.devices)),
      .init("step", .integer(asked.step)),
      .init("rows", .integer(asked.rows)), .init("longestAnswerSeconds", .number(asked.longest)),
    ])
  }

  var json: JSON {
    let hasKilled = outcome.killedAt != nil
    return .object([
      .init("seed", .unsigned(session.seed)), .init("data", .string(session.name)), .init("devices", .integer(members.count)),
      .init("steps", .integer(session.steps)), .init("killed", .array(outcome.killed.map(JSON.integer))),
      .init("before", json(outcome.before)), .init("after", json(outcome.after)), .init("end", json(outcome.end)),
      .init("longestPauseSeconds", .number(hasKilled ? pauseAfter : pauseBefore)),
      .init("longestPauseBeforeSeconds", .number(pauseBefore)),
      .init("longestAnswerSeconds", .optional(outcome.answers.max())), .init("answers", .integer(outcome.answers.count)),
      .init("trainedSeconds", .number(outcome.trainedFor)), .init("stepsPerSecond", .number(stepsASecond)),
      .init("messages", .integer(sum(\.messages) - sum(\.dropped))), .init("bytes", .integer(sum(\.bytesSent))),
      .init("missed", .integer(sum(\.missed))),
      .init("late", .integer(sum(\.late))), .init("dropped", .integer(sum(\.dropped))),
      .init(
        "each",
        .array(
          members.enumerated().map { number, member in
            .object([
              .init("device", .integer(number)), .init("killed", .bool(member.wasKilled)),
              .init("step", .integer(member.news.step)),
              .init("steps", .integer(member.news.steps)), .init("loss", .optional(member.news.loss)),
              .init("pauseBefore", .number(member.pauses.before)), .init("pauseAfter", .number(member.pauses.after)),
              .init("messages", .integer(member.news.messages)), .init("received", .integer(member.news.received)),
              .init("bytes", .integer(member.news.bytesSent)), .init("missed", .integer(member.news.missed)),
              .init("late", .integer(member.news.late)), .init("troubles", .array(member.troubles.map(JSON.string))),
            ])
          })),
    ])
  }

  private func words(_ asked: SplitSwarm.Asked?) -> String {
    guard let asked, let accuracy = asked.accuracy else { return "–" }
    return String(format: "%.2f %% of %d rows, by %d devices at step %d", accuracy, asked.rows, asked.devices, asked.step)
  }

  var text: String {
    var lines = [String]()
    if outcome.killedAt != nil {
      lines.append("accuracy before the kill    \(words(outcome.before))")
      lines.append("accuracy after it           \(words(outcome.after))")
      lines.append(
        String(
          format: "answers after it            %d of %d, the longest after %.3f s", outcome.answers.count, 20,
          outcome.answers.max() ?? 0))
    }
    lines.append("accuracy at the end         \(words(outcome.end))")
    let pause = String(format: "longest pause of survivors  %.3f s", outcome.killedAt == nil ? pauseBefore : pauseAfter)
    lines.append(pause + (outcome.killedAt == nil ? "" : String(format: " after the kill, %.3f s before it", pauseBefore)))
    lines.append(String(format: "steps a second              %.1f, %.1f s in all", stepsASecond, outcome.trainedFor))
    lines.append(
      String(
        format: "messages                    %d, %.1f MB; %d missed, %d late, %d dropped", sum(\.messages) - sum(\.dropped),
        Double(sum(\.bytesSent)) / 1e6,
        sum(\.missed), sum(\.late), sum(\.dropped)))
    return lines.joined(separator: "\n")
  }
}
