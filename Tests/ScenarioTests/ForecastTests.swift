import MurmurMachines
import MurmurScenario
import Testing

@Suite struct ForecastTests {
  private func forecast(_ faults: [Fault], peers: Int = 100, minutes: Double = 200, seed: UInt64 = 5) -> Forecast {
    Forecast(FaultPlan(faults), peers: peers, length: .minutes(minutes), cycle: .minutes(1), chance: Chance(seed: seed))
  }

  /// The share of all peers' time that they spend offline, from the events alone.
  private func offlineShare(_ forecast: Forecast) -> Double {
    var since = [Instant?](repeating: nil, count: forecast.peers)
    var total = 0.0
    for event in IteratorSequence(forecast.events()) {
      switch event.change {
      case .wentOffline(let peer): since[peer] = event.at
      case .cameOnline(let peer):
        if let start = since[peer] { total += (event.at - start).seconds }
        since[peer] = nil
      case .crashed, .restarted, .began, .ended: continue
      }
    }
    for case .some(let start) in since { total += forecast.length.seconds - start.seconds }
    return total / (forecast.length.seconds * Double(forecast.peers))
  }

  @Test(arguments: [0.0, 0.2, 0.5, 0.8, 1.0])
  func theProbabilityIsTheShareOfPeerTime(probability: Double) {
    let redrawn = forecast([.offline(.init(probability: probability))])
    #expect(abs(offlineShare(redrawn) - probability) < 0.02)
    let half = forecast([.offline(.init(probability: probability, cycle: .minutes(10), duration: .minutes(5)))], peers: 1_000)
    #expect(abs(offlineShare(half) - probability / 2) < 0.01)
  }

  @Test func eachRedrawHitsThatShareOfThePeersAndForgetsTheOneBefore() {
    let forecast = forecast([.offline(.init(probability: 0.8))], peers: 200, minutes: 30)
    var both = 0
    for minute in 0..<30 {
      let now = Instant.origin + .minutes(Double(minute) + 0.5)
      let offline = (0..<200).filter { forecast.isOffline($0, at: now) }
      #expect(abs(offline.count - 160) < 30)
      both += offline.count { forecast.isOffline($0, at: now + .minutes(1)) && minute < 29 }
    }
    #expect(abs(Double(both) / (29 * 200) - 0.64) < 0.03, "offline twice running is 0.8², the draws being independent")
  }

  @Test func onAndOffAreInTheirStationaryStateFromTheBeginning() {
    var onOff = Fault.OnOff()
    (onOff.on, onOff.off) = (.minutes(20), .minutes(80))
    let forecast = forecast([.sessions(onOff)], peers: 2_000)
    #expect(abs(offlineShare(forecast) - 0.8) < 0.02)
    for minute in [0.0, 1, 50, 199] {
      let offline = (0..<2_000).count { forecast.isOffline($0, at: .origin + .minutes(minute)) }
      #expect(abs(Double(offline) / 2_000 - 0.8) < 0.04, "at minute \(minute)")
    }
  }

  @Test func answersDependOnTheSeedAloneNotOnTheOrderOfAsking() {
    let faults: [Fault] = [.slow(.init()), .offline(.init(probability: 0.5)), .crash(.init())]
    let (one, two, other) = (forecast(faults), forecast(faults), forecast(faults, seed: 6))
    #expect(Array(IteratorSequence(one.events())) == Array(IteratorSequence(two.events())))
    #expect(Array(IteratorSequence(one.events())) != Array(IteratorSequence(other.events())))
    let times = (0..<50).map { Instant.origin + .minutes(Double($0) * 3.9) }
    let forwards = times.map { time in (0..<100).map { one.isOffline($0, at: time) } }
    let backwards = times.reversed().map { time in (0..<100).reversed().map { two.isOffline($0, at: time) } }
    #expect(forwards == backwards.reversed().map { $0.reversed() })
    let more = forecast(faults, peers: 500)
    #expect((0..<100).allSatisfy { more.isOffline($0, at: times[9]) == one.isOffline($0, at: times[9]) })
  }

  @Test func eventsAreSortedAndAgreeWithTheQueries() {
    var onOff = Fault.OnOff()
    (onOff.on, onOff.off) = (.minutes(30), .minutes(10))
    let forecast = forecast(
      [.offline(.init(probability: 0.3, cycle: .minutes(7), duration: .minutes(9))), .sessions(onOff)], peers: 40)
    var conditions = FaultConditions(forecast)
    var last = Instant.origin
    var count = 0
    for event in IteratorSequence(forecast.events()) {
      #expect(event.at >= last)
      if event.at > last {
        let between = Instant(nanoseconds: (last.nanoseconds + event.at.nanoseconds) / 2)
        for peer in 0..<40 { #expect(conditions.isOnline[peer] == !forecast.isOffline(peer, at: between)) }
      }
      let before = conditions.isOnline
      conditions.apply(event.change)
      #expect(conditions.isOnline != before, "every event changes something")
      last = event.at
      count += 1
    }
    #expect(count > 500)
  }

  @Test func crashesComeWithinTheirSpanAndRestart() throws {
    var crash = Fault.Crash()
    crash.peers = .share(0.25)
    (crash.at, crash.over) = (.share(0.2), .share(0.4))
    crash.restart = .after(.minutes(10))
    crash.disk = .torn
    let forecast = forecast([.crash(crash)], peers: 80)
    var stopped: [Int: Instant] = [:]
    var restarted = 0
    for event in IteratorSequence(forecast.events()) {
      switch event.change {
      case .crashed(let peer, let memory, let disk):
        #expect(memory == .lost && disk == .torn && event.at >= .origin + .minutes(40) && event.at <= .origin + .minutes(120))
        #expect(forecast.crash(peer: peer, fault: 0)?.stops == event.at)
        stopped[peer] = event.at
      case .restarted(let peer):
        #expect(event.at == (try #require(stopped[peer])) + .minutes(10))
        restarted += 1
      case .wentOffline, .cameOnline, .began, .ended: Issue.record("unexpected \(event)")
      }
    }
    #expect(stopped.count == 20 && restarted == 20)
    #expect(Set(stopped.values).count == 20, "each at an instant of its own")
  }

  @Test func partitionsCutWhatTheySayForAsLongAsTheySay() throws {
    var split = Fault.Partition()
    split.groups = [.numbers([0...9]), .share(0.3), .share(0.3)]
    split.window = .init(at: .share(0.5), for: .after(.minutes(10)))
    var oneWay = Fault.Partition()
    oneWay.groups = [.numbers([0...4]), .numbers([5...9])]
    oneWay.direction = .oneWay
    oneWay.window = .init(at: .share(0.9))
    let forecast = forecast([.partition(split), .partition(oneWay)])
    let groups = try #require(forecast.groups(fault: 0))
    #expect((0...3).map { number in groups.count { $0 == number } } == [10, 30, 30, 30])
    var conditions = FaultConditions(forecast)
    #expect(conditions.reaches(from: 0, to: 99))
    for event in IteratorSequence(forecast.events()) {
      conditions.apply(event.change)
      switch event.change {
      case .began(0):
        #expect(event.at == .origin + .minutes(100))
        for (one, other) in [(0, 1), (0, 99), (40, 77), (12, 60)] {
          #expect(conditions.reaches(from: one, to: other) == (groups[one] == groups[other]))
        }
      case .ended(0): #expect(event.at == .origin + .minutes(110) && conditions.reaches(from: 0, to: 99))
      case .began(1):
        #expect(!conditions.reaches(from: 0, to: 5) && conditions.reaches(from: 5, to: 0) && conditions.reaches(from: 0, to: 4))
        #expect(!conditions.reaches(from: 9, to: 50) && conditions.reaches(from: 50, to: 9))
      default: Issue.record("unexpected \(event)")
      }
    }
  }

  @Test func troublesOnALinkCombine() {
    var weak = Fault.LinkTrouble()
    (weak.loss, weak.delay, weak.bandwidth) = (0.5, .milliseconds(100), DataRate(bitsPerSecond: 1e6))
    var local = weak
    local.between = .init(.numbers([0...4]), .numbers([5...9]))
    var slow = Fault.Slow()
    (slow.peers, slow.factor) = (.numbers([3...3]), 4)
    let forecast = forecast([.link(weak), .link(local), .slow(slow), .slow(slow)], peers: 10)
    var conditions = FaultConditions(forecast)
    for event in IteratorSequence(forecast.events()) { conditions.apply(event.change) }
    var base = LinkModel()
    base.loss = 0.2
    #expect(abs(conditions.link(0, 1, base: base).model.loss - 0.6) < 1e-12)
    for (one, other) in [(0, 5), (9, 2)] {
      let link = conditions.link(one, other, base: base)
      #expect(abs(link.model.loss - 0.8) < 1e-12 && link.extra == .milliseconds(200) && link.model.bandwidth.bitsPerSecond == 1e6)
    }
    #expect(conditions.slowdown[3] == 16 && conditions.slowdown[4] == 1)
  }

  @Test func skewsAndLiarsAreTheSameAllTheTime() {
    var skew = Fault.Skew()
    (skew.peers, skew.by) = (.some(7), .seconds(-30))
    var liars = Fault.Liars()
    liars.how = .flip
    let forecast = forecast([.skew(skew), .liars(liars)])
    #expect(forecast.skews().count { $0 == .seconds(-30) } == 7)
    #expect(forecast.lies().count { $0 == .flip } == 10 && forecast.lies() == FaultConditions(forecast).lies)
  }
}
