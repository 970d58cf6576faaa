import MurmurBlocks
import MurmurCollective
import MurmurMachines
import MurmurPeer
import MurmurPubSub
import MurmurScenario
import MurmurWire

/// The links between the nodes of a world.
struct NetworkState {
  /// One arrival of a message.
  struct Arrival {
    var time: Instant
    var corrupted: Bool
  }

  var plan: NetworkPlan
  /// Whom each peer knows when it begins.
  var neighbours: [[Int32]]
  private let distances: Chance
  /// Distances found lately, by the pair: an answer goes the way the question came.
  private var found: [(pair: UInt64, distance: Instant.Span)]
  private var chance: Chance

  init(_ plan: NetworkPlan, neighbours: [[Int32]], chance: Chance) {
    self.plan = plan
    self.neighbours = neighbours
    distances = chance.fork("distances")
    self.chance = chance.fork("fates")
    found = Array(repeating: (.max, .zero), count: 1 << 14)
  }

  /// How long the link between two peers is.
  private mutating func distance(_ one: Int, _ other: Int) -> Instant.Span {
    let pair = UInt64(max(one, other)) << 32 | UInt64(min(one, other))
    let place = Int(truncatingIfNeeded: (pair &* 0x9e37_79b9_7f4a_7c15) >> 50)
    if found[place].pair != pair { found[place] = (pair, plan.link.distance(one, other, chance: distances)) }
    return found[place].distance
  }

  /// What becomes of a message of that many bytes: when it arrives, if it does, and in what state.
  mutating func send(
    _ bytes: Int, from: Int, to: Int, uplink: inout Uplink, at now: Instant, under conditions: borrowing FaultConditions
  ) -> (first: Arrival?, second: Arrival?) {
    let (link, extra) = conditions.link(from, to, base: plan.link)
    guard let left = uplink.send(bytes: bytes, at: now, rate: link.bandwidth, queue: plan.queue),
      !conditions.isDivided(from: from, to: to)
    else { return (nil, nil) }
    let fate = link.fate(distance: distance(from, to), chance: &chance)
    func arrival(_ one: LinkModel.Arrival?) -> Arrival? {
      one.map { Arrival(time: left + $0.after + extra, corrupted: $0.isCorrupt) }
    }
    return (arrival(fate.first), arrival(fate.second))
  }

  /// The message after bits of its encoding were flipped; `nil` where the receiver's decoder refuses it.
  ///
  /// On a real link the cipher's tag catches this and the connection breaks; here it is the decoders that are put to the test.
  mutating func corrupt(_ message: Peer.Message) -> Peer.Message? {
    var bytes: [UInt8]
    switch message {
    case .collective(let inner): bytes = inner.encode()
    case .blocks(let inner): bytes = inner.encode()
    case .pubsub(let inner): bytes = inner.encode()
    }
    guard !bytes.isEmpty else { return message }
    for _ in 0...chance.below(4) { bytes[chance.below(bytes.count)] ^= 1 << UInt8(chance.below(8)) }
    do throws(WireError) {
      switch message {
      case .collective: return .collective(try CollectiveMessage.decode(bytes))
      case .blocks: return .blocks(try BitswapMessage.decode(bytes))
      case .pubsub: return .pubsub(try RPC.decode(bytes))
      }
    } catch {
      return nil
    }
  }
}
