import MurmurCollective
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import Synchronization

/// A scenario's faults, and its network where that is wanted, acted at one real peer's sockets: the same file, the same outages at the same
/// seconds as in the simulator. What befalls single messages is drawn here, as it is there, from a stream of the seed.
final class ScenarioFaults: Adversity {
  private struct State: Sendable {
    var events: FaultEvents
    var conditions: FaultConditions
    var uplink = Uplink()
    var fates: Chance
  }

  /// How far this peer's clock is off.
  let skew: Instant.Span
  private let state: Mutex<State>
  private let number: Int
  private let numbers: [PeerID: Int]
  private let base: LinkModel
  private let queue: Int
  private let distances: Chance
  private let lies: Chance

  /// The faults that concern peer `number`; with `isShaped` the links are also as slow and lossy as the scenario's network says.
  init(_ setup: Setup, _ number: Int, isShaped: Bool) {
    let scenario = setup.scenario
    let forecast = Forecast(
      scenario.faults, peers: scenario.peers.count, length: setup.session.length, cycle: setup.session.cycle,
      chance: setup.chance.fork("faults"))
    let conditions = FaultConditions(forecast)
    skew = conditions.skews[number]
    let chance = setup.chance.fork("sockets", number)
    state = Mutex(State(events: forecast.events(), conditions: conditions, fates: chance.fork("fates")))
    self.number = number
    numbers = Dictionary(
      (0..<scenario.peers.count).map { (SwarmKeys.pair(scenario.seed, $0).peerID, $0) }, uniquingKeysWith: { first, _ in first })
    var clear = LinkModel()
    (clear.delay.median, clear.delay.spread, clear.delay.jitter) = (.zero, 1, 0)
    clear.bandwidth = DataRate(bitsPerSecond: .infinity)
    base = isShaped ? scenario.network.link : clear
    queue = scenario.network.queue
    // Both ends of a link work out the same distance.
    distances = setup.chance.fork("sockets").fork("distances")
    lies = chance.fork("lies")
  }

  private func now<Result>(_ time: Instant, _ body: (inout State) -> Result) -> Result {
    let instant = time + (.zero - skew)
    return state.withLock { state in
      while let due = state.events.nextInstant, due <= instant, let fault = state.events.next() {
        state.conditions.apply(fault.change)
      }
      return body(&state)
    }
  }

  func passages(of bytes: Int, to peer: PeerID, at time: Instant) -> [Passage] {
    now(time) { state in
      guard state.conditions.isOnline[number], state.conditions.isRunning[number] else { return [] }
      // Who is not of the scenario is reached as nobody's faults say otherwise.
      guard let other = numbers[peer], other != number else { return [Passage()] }
      guard state.conditions.reaches(from: number, to: other) else { return [] }
      let (link, extra) = state.conditions.link(number, other, base: base)
      guard let left = state.uplink.send(bytes: bytes, at: time, rate: link.bandwidth, queue: queue) else { return [] }
      var distance = link.distance(number, other, chance: distances)
      // Who is overtaken has to be on its way for a while.
      if link.reordering > 0 { distance = max(distance, .milliseconds(5)) }
      let fate = link.fate(distance: distance, chance: &state.fates)
      let waits = left - time + extra
      return [fate.first, fate.second].compactMap { arrival in
        arrival.map { Passage(after: $0.after + waits, isCorrupt: $0.isCorrupt) }
      }
    }
  }

  func admits(from peer: PeerID, at time: Instant) -> Bool {
    now(time) { state in
      guard let other = numbers[peer], other != number else {
        return state.conditions.isOnline[number] && state.conditions.isRunning[number]
      }
      return state.conditions.reaches(from: other, to: number)
    }
  }

  func slowdown(at time: Instant) -> Double { now(time) { $0.conditions.slowdown[number] } }

  func told(_ result: WorkResult, by peer: borrowing Peer, at time: Instant) -> WorkResult {
    guard let lie = now(time, { $0.conditions.lies[number] }) else { return result }
    return lie.told(result, by: peer, chance: lies)
  }
}
