import MurmurIdentify
import MurmurMachines
import Testing

/// Ping, both sides.
@Suite struct PingTests {
  @Test func `a round trip is measured and repeated, through an echo that comes in pieces`() {
    var ping = Ping(), echo = PingEcho(), chance = Chance(seed: 1), effects = Effects<Ping.Effect>()
    ping.step(.opened, at: .origin, chance: &chance, effects: &effects)
    guard case .send(let bytes)? = effects.take().first else { return #expect(Bool(false), "nothing was sent") }
    #expect(bytes.count == 32)
    #expect(echo.receive(Array(bytes[..<20])).isEmpty)
    let back = echo.receive(Array(bytes[20...]))
    #expect(back == bytes)
    let later = Instant.origin + .milliseconds(70)
    ping.step(.received(Array(back[..<5])), at: later, chance: &chance, effects: &effects)
    #expect(effects.isEmpty)
    ping.step(.received(Array(back[5...])), at: later, chance: &chance, effects: &effects)
    #expect(effects.take() == [.measured(.milliseconds(70)), .arm(.round, at: later + .seconds(15))])
    ping.step(.timerFired(.round), at: later + .seconds(1), chance: &chance, effects: &effects)
    #expect(effects.isEmpty, "a stale firing is harmless")
    ping.step(.timerFired(.round), at: later + .seconds(15), chance: &chance, effects: &effects)
    guard case .send(let next)? = effects.take().first else { return #expect(Bool(false), "no second round") }
    #expect(next != bytes)
  }

  @Test func `no echo, a wrong echo, too much and an early end are failures`() {
    let cases: [(Ping.Input, Ping.Failure, Double)] = [
      (.timerFired(.round), .timedOut, 10), (.received([UInt8](repeating: 0, count: 32)), .wrongEcho, 1),
      (.received([UInt8](repeating: 0, count: 33)), .wrongEcho, 1), (.closed, .closed, 1),
    ]
    for (input, failure, seconds) in cases {
      var ping = Ping(), chance = Chance(seed: 2), effects = Effects<Ping.Effect>()
      ping.step(.opened, at: .origin, chance: &chance, effects: &effects)
      effects.removeAll()
      ping.step(input, at: .origin + .seconds(seconds), chance: &chance, effects: &effects)
      #expect(effects.take() == [.failed(failure)])
      ping.step(.received([1]), at: .origin + .seconds(20), chance: &chance, effects: &effects)
      #expect(effects.isEmpty, "nothing follows a failure")
    }
  }

  @Test func `as many rounds as were asked for`() {
    var configuration = Ping.Configuration()
    configuration.rounds = 1
    var ping = Ping(configuration), chance = Chance(seed: 3), effects = Effects<Ping.Effect>()
    ping.step(.opened, at: .origin, chance: &chance, effects: &effects)
    guard case .send(let bytes)? = effects.take().first else { return #expect(Bool(false), "nothing was sent") }
    ping.step(.received(bytes), at: .origin, chance: &chance, effects: &effects)
    #expect(effects.take().last == .finished && ping.roundTrip == .zero)
  }
}
