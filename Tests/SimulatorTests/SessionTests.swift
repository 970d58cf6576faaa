import MurmurDatasets
import MurmurMachines
import MurmurScenario
import MurmurSessions
import MurmurSimulator
import Testing

/// Sessions on the embedded digits, short enough for every run of the tests.
@Suite("Peers learn together in the simulated world")
struct SessionTests {
  static func scenario(_ seed: UInt64, minutes: Double = 40, _ change: (inout Scenario) -> Void = { _ in }) -> Scenario {
    var scenario = Scenario()
    scenario.name = "test"
    scenario.seed = seed
    scenario.session.length = .minutes(minutes)
    scenario.session.training.epochs = 3
    scenario.observe.every = .share(0.1)
    scenario.baselines.alone = false
    scenario.baselines.central = false
    change(&scenario)
    return scenario
  }

  static func run(_ scenario: Scenario, threads: Int = 2) throws -> Experiment.Outcome {
    Experiment(try Setup(scenario, Digits.load()), threads: threads).run { _ in true }
  }

  static func accuracy(_ outcome: Experiment.Outcome) -> Statistics { Statistics(outcome.peers.compactMap(\.accuracy)) }

  @Test("the same seed gives the same trace and the same models on one thread and on three; another seed does not")
  func replay() throws {
    let scenario = Self.scenario(11, minutes: 12) { $0.faults.faults = [.offline(Fault.Offline(probability: 0.4))] }
    let first = try Self.run(scenario, threads: 1)
    let second = try Self.run(scenario, threads: 3)
    #expect(first.trace == second.trace)
    #expect(first.peers.map(\.model) == second.peers.map(\.model))
    #expect(first.total == second.total)
    var other = scenario
    other.seed = 12
    #expect(try Self.run(other).trace != first.trace)
  }

  @Test("together is better than alone and close to central, with four in five away in every cycle")
  func gapCloses() throws {
    let scenario = Self.scenario(3, minutes: 100) {
      $0.faults.faults = [.offline(Fault.Offline(probability: 0.8))]
      $0.baselines.alone = true
      $0.baselines.central = true
    }
    let experiment = Experiment(try Setup(scenario, Digits.load()), threads: 2)
    let controls = try #require(experiment.controls { _ in true })
    let alone = Statistics(controls.alone.compactMap { $0 })
    let central = try #require(controls.central)
    let together = Self.accuracy(experiment.run { _ in true })
    #expect(
      together.mean - alone.mean > 0.7 * (central - alone.mean), "seed 3: \(alone.mean) → \(together.mean), central \(central)")
    #expect(together.spread < alone.spread / 4, "seed 3: \(together.spread) against \(alone.spread)")
  }

  @Test("whoever joins at half-time is within a point of the others after three of its cycles")
  func lateJoiner() throws {
    let scenario = Self.scenario(5) {
      $0.peers.late = [PeerPlan.Late(count: 1, at: .share(0.5))]
      $0.session.length = .minutes(23 * 2)
      $0.observe.every = .share(1.0 / 46)
      $0.observe.peers = nil
    }
    let outcome = try Self.run(scenario)
    // It joins at minute 23; its third cycle is over by minute 27.
    let sample = try #require(outcome.samples.first { $0.time >= 27.0 * 60 })
    #expect(sample.accuracy.count == 20)
    let others = (sample.accuracy.mean * 20 - sample.late.mean) / 19
    #expect(sample.late.count == 1 && others - sample.late.mean < 0.01, "seed 5: \(others), the newcomer \(sample.late.mean)")
    #expect(outcome.peers.filter { $0.joined > 0 }.count == 1)
  }

  @Test("four in five crash at half-time and lose their memory; the rest goes on, and those that come back catch up")
  func crash() throws {
    var crash = Fault.Crash()
    crash.peers = .share(0.8)
    crash.restart = .share(0.2)
    for disk in Fault.Crash.Disk.allCases {
      crash.disk = disk
      let scenario = Self.scenario(7) { $0.faults.faults = [.crash(crash)] }
      let outcome = try Self.run(scenario)
      let accuracy = Self.accuracy(outcome)
      #expect(accuracy.count == 20, "seed 7, disk \(disk): all are back at the end")
      #expect(accuracy.least > 0.9, "seed 7, disk \(disk): \(accuracy)")
      #expect(outcome.samples.map(\.online).min() == 4)
    }
  }

  @Test("messages and bytes per peer and cycle do not grow with the number of peers")
  func scale() throws {
    func perCycle(_ peers: Int) throws -> (messages: Double, bytes: Double) {
      let scenario = Self.scenario(2, minutes: 8) {
        $0.peers.count = peers
        $0.session.training.epochs = 1
      }
      let total = try Self.run(scenario).total
      return (Double(total.messagesSent) / Double(total.cycles), Double(total.bytesSent) / Double(total.cycles))
    }
    let (small, large) = (try perCycle(100), try perCycle(600))
    #expect(large.messages < 1.1 * small.messages, "\(small) → \(large)")
    #expect(large.bytes < 1.1 * small.bytes, "\(small) → \(large)")
  }

  @Test("a tenth of the peers lies; nobody's session ends and the honest ones still learn", arguments: Fault.Liars.Lie.allCases)
  func liars(how: Fault.Liars.Lie) throws {
    var liars = Fault.Liars()
    liars.how = how
    let scenario = Self.scenario(4) { $0.faults.faults = [.liars(liars)] }
    let outcome = try Self.run(scenario)
    let median = outcome.peers.compactMap(\.accuracy).sorted()[10]
    #expect(median > 0.85, "seed 4, \(how): \(median)")
  }

  @Test("two halves that cannot hear each other for half the session end as one")
  func partition() throws {
    var partition = Fault.Partition()
    partition.groups = [.numbers([0...9])]
    partition.window = Fault.Window(at: .share(0.2), for: .share(0.5))
    let outcome = try Self.run(Self.scenario(6) { $0.faults.faults = [.partition(partition)] })
    #expect(Self.accuracy(outcome).least > 0.93, "seed 6: \(Self.accuracy(outcome))")
    #expect(Self.accuracy(outcome).spread < 0.02, "seed 6: \(Self.accuracy(outcome))")
  }

  @Test("a run that is interrupted keeps what it has")
  func interruption() throws {
    var observations = 0
    let experiment = Experiment(try Setup(Self.scenario(1), Digits.load()), threads: 1)
    let outcome = experiment.run { _ in
      observations += 1
      return observations < 3
    }
    #expect(outcome.wasInterrupted)
    #expect(outcome.samples.count == 3 && Self.accuracy(outcome).count == 20)
    #expect(outcome.virtualSeconds < 20 * 60)
  }
}
