import ArgumentParser
import Foundation
import MurmurControl

/// `murmur find`: where a peer is, or who has an object.
struct FindCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find", abstract: "Ask the hash tables where a peer is, or who has an object.",
    discussion: """
      Prints one address a line, ready for --join. Only who was told to (`murmur add --provide`) is named as having an object; `murmur cat` \
      asks connected peers as well.
      """)

  @Argument(help: ArgumentHelp("A peer's identity, or an object's CID.", valueName: "PEER|CID"))
  var name: String
  @OptionGroup var options: ControlOptions
  @Flag(help: "Answer as JSON.") var json = false

  func run() async throws {
    try await Attempt.run {
      let console = Console()
      let found: ControlAnswer.Found = try await options.client().ask(.find(name))
      if json {
        try console.show(json: found)
      } else {
        for place in found.places {
          for address in place.addresses { console.show(address) }
          if place.addresses.isEmpty { console.show("/p2p/\(place.peer)") }
        }
        switch found.kind {
        case "peer" where found.isHere: console.say("this is the running peer itself")
        case "peer": for place in found.places where place.isConnected { console.say("it is connected") }
        default: if found.isHere { console.say("the running peer has the whole object") }
        }
      }
      guard found.places.isEmpty, !found.isHere else { return }
      throw Failure(
        found.kind == "peer"
          ? "\(name): nobody who is asked knows where this peer is; is it running, and are both in one network?"
          : "\(name): nobody is known to have it; `murmur cat` also asks connected peers, and `murmur add --provide` announces")
    }
  }
}
