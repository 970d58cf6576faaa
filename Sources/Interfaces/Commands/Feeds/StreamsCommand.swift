import ArgumentParser
import Foundation
import MurmurControl
import MurmurReports

/// `murmur streams`: which sensors a running peer reads.
struct StreamsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "streams", abstract: "Show the sensors whose streams the running peer reads.")

  @OptionGroup var options: ControlOptions
  @Flag(help: "Answer as JSON.") var json = false

  func run() async throws {
    try await Attempt.run {
      let console = Console()
      let answer: ControlAnswer.Streams = try await options.client().ask(.streams)
      if json { return try console.show(json: answer) }
      guard !answer.sensors.isEmpty else {
        console.say(
          "no sensor was found yet; its head comes with its first row: see that `murmur feed` runs with this session's file and this "
            + "peer's address, and that a restricted stream's side key is given to both (--key)")
        return
      }
      var table = Table(columns: [
        .text("sensor"), .text("stream"), .text("mode"), .number("rows"), .number("messages"), .number("lag"),
        .number("lost"), .number("failures"), .text("state"),
      ])
      for sensor in answer.sensors {
        table.rows.append([
          sensor.id, String(sensor.channel.prefix(12)), sensor.mode, "\(sensor.rows)", "\(sensor.messages)",
          sensor.lag.map { Amount.time(max(0, $0)) } ?? "—", "\(sensor.lost)", "\(sensor.failures)",
          sensor.isForked ? "forked: not followed" : sensor.doubles > 0 ? "another claims its name" : "followed",
        ])
      }
      var text = table.text(width: console.width, colour: console.isColoured)
      text.removeLast()
      console.show(text)
      console.say(
        "\(answer.feeders) feeders connected; the ledger holds \(answer.transactions) transactions, "
          + "\(Amount.bytes(UInt64(answer.bytes))), \(answer.unconfirmed) unconfirmed"
          + (answer.badHeads > 0 ? "; \(answer.badHeads) heads were none" : ""))
      if answer.refused > 0 { console.say("\(answer.refused) rows could not be learnt from: \(PeerFeeds.whyRefused)") }
      for report in answer.reports { console.say(report) }
    }
  }
}
