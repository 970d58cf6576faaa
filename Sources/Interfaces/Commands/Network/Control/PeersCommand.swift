import ArgumentParser
import Foundation
import MurmurControl
import MurmurReports

/// `murmur peers`: who is connected to a running peer.
struct PeersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peers", abstract: "Show who is connected to the running peer.")

  @OptionGroup var options: ControlOptions
  @Flag(help: "Show names and addresses in full, and every protocol.") var long = false
  @Flag(help: "Answer as JSON.") var json = false

  func run() async throws {
    try await Attempt.run {
      let console = Console()
      let answer: ControlAnswer.Peers = try await options.client().ask(.peers)
      if json { return try console.show(json: answer) }
      guard !answer.peers.isEmpty else {
        console.say("nobody is connected; give the peer somebody to begin with (--join), or see `murmur doctor`")
        return
      }
      if long { return showLong(answer.peers, console) }
      var table = Table(columns: [
        .text("peer"), .text("address"), .text("agent"), .text("speaks"), .number("round trip"), .number("connected"),
      ])
      for peer in answer.peers {
        table.rows.append([
          "…" + peer.peer.suffix(8), (peer.isOutbound ? "→ " : "← ") + Languages.place(peer.address),
          peer.agent.isEmpty ? "?" : peer.agent,
          Languages.summary(peer.protocols), Languages.milliseconds(peer.roundTrip), Amount.time(peer.connected),
        ])
      }
      var text = table.text(width: console.width, colour: console.isColoured)
      text.removeLast()
      console.show(text)
      console.say("→ dialled from here, ← came from there; `murmur peers --long` shows names in full")
    }
  }

  private func showLong(_ peers: [ControlAnswer.Peers.Peer], _ console: Console) {
    for peer in peers {
      console.show(
        """
        \(peer.peer)
          address     \(peer.address) (\(peer.isOutbound ? "dialled from here" : "came from there"))
          agent       \(peer.agent.isEmpty ? "it does not say" : peer.agent)
          round trip  \(Languages.milliseconds(peer.roundTrip))
          connected   \(Amount.time(peer.connected))
          protocols   \(peer.protocols.isEmpty ? "none are known" : peer.protocols.joined(separator: "\n              "))
        """)
    }
  }
}

/// Protocols in a few words.
enum Languages {
  private static let words: [(part: String, word: String)] = [
    ("/murmur/collective/", "session"), ("/ipfs/bitswap", "blocks"), ("/meshsub/", "gossip"), ("/floodsub/", "gossip"),
    ("/ipfs/lan/kad/", "kad"), ("/ipfs/kad/", "kad"), ("/murmur/kad/", "kad"),
  ]

  static func summary(_ protocols: [String]) -> String {
    var found: [String] = []
    for (part, word) in words where !found.contains(word) && protocols.contains(where: { $0.hasPrefix(part) }) {
      found.append(word)
    }
    if protocols.isEmpty { return "?" }
    return found.isEmpty ? "\(protocols.count) other" : found.joined(separator: " ")
  }

  /// An address as people write it, `192.0.2.1:4101`, where it is one of those.
  static func place(_ address: String) -> String {
    let parts = address.split(separator: "/")
    guard parts.count == 4, parts[2] == "tcp" else { return address }
    switch parts[0] {
    case "ip4", "dns", "dns4", "dns6": return "\(parts[1]):\(parts[3])"
    case "ip6": return "[\(parts[1])]:\(parts[3])"
    default: return address
    }
  }

  static func milliseconds(_ value: Double?) -> String {
    guard let value else { return "?" }
    return String(format: value < 10 ? "%.1f ms" : "%.0f ms", value)
  }
}
