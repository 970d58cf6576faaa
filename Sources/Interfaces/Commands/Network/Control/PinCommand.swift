import ArgumentParser
import Foundation
import MurmurControl
import MurmurReports

/// `murmur pin`: what a running peer keeps.
struct PinCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pin", abstract: "Keep an object in the running peer's store, or list what is kept.",
    usage: "murmur pin CID [--remove] [--timeout S]\n       murmur pin list [--all]",
    discussion: """
      An object that is not here is fetched whole. What nobody pinned goes when the store needs room. --remove keeps it no longer; it \
      does not delete it at once.
      """)

  @Argument(help: ArgumentHelp("The object's CID, or CID/path; or the word list.", valueName: "CID"))
  var object: String
  @OptionGroup var options: ControlOptions
  @OptionGroup var patience: Patience
  @Flag(help: "Keep it no longer.") var remove = false
  @Flag(help: "With list: also the models that the session keeps.") var all = false
  @Flag(help: "Answer as JSON.") var json = false

  func run() async throws {
    try await Attempt.run {
      try patience.check()
      let console = Console()
      let client = try options.client()
      if object == "list" { return try await list(client, console) }
      let progress = TransferProgress(console, isShown: console.isTerminal)
      let request: ControlRequest = remove ? .unpin(path: object) : .pin(path: object, timeout: patience.timeout)
      let pinned: ControlAnswer.Pinned = try await client.ask(request, note: { progress.note($0) })
      console.clear()
      if remove, !pinned.changed { throw Failure("\(pinned.cid) was not pinned; `murmur pin list` says what is") }
      if json { return try console.show(json: pinned) }
      console.show(pinned.cid)
      if !remove, !pinned.changed { console.say("it was pinned already") }
    }
  }

  private func list(_ client: ControlClient, _ console: Console) async throws {
    let answer: ControlAnswer.Pins = try await client.ask(.pins)
    let pins = answer.pins.filter { all || $0.by == "owner" }
    if json { return try console.show(json: ControlAnswer.Pins(pins: pins)) }
    for pin in pins {
      console.show("\(pin.cid)  \(pin.bytes.map(Amount.bytes) ?? "?")\(all ? "  \(pin.by)" : "")")
    }
    if pins.isEmpty { console.say("nothing is pinned; `murmur add FILE` and `murmur pin CID` keep something") }
  }
}
