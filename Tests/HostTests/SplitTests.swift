import MurmurChannels
import MurmurCompute
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurSimulator
import MurmurSplit
import MurmurWire
import NIOCore
import NIOPosix
import Testing

/// Devices of a split network on real sockets.
@Suite(.serialized) struct SplitSocketTests {
  @Test(arguments: [2, 4]) func `where nothing fails, sockets give the very bits of virtual time`(devices: Int) async throws {
    let seed: UInt64 = 21
    let rows = SplitScene.rows(devices: devices, width: 3, training: 256, tested: 32, seed: seed)
    var plan = SplitScene.plan(devices: devices, width: 3, steps: 40, seed: seed)
    // Nobody is given up, however slow this machine is at the moment.
    (plan.timing.longest, plan.timing.shortest) = (.seconds(30), .seconds(30))
    plan.inference.deadline = .seconds(30)
    let flock = try SplitFlock(plan, rows)
    let nodes = try await flock.startAll()
    for number in 0..<devices { try await flock.hears(number) { $0.hasTrained } }
    var world = SplitWorld(plan: plan, graph: .complete(devices), reach: .complete, rows: rows)
    world.train()
    for node in nodes {
      let (units, missed) = try await node.look { ($0.units, $0.statistics.missed) }
      #expect(missed == 0, "seed \(seed)")
      #expect(units == world.device(node.number).units, "seed \(seed), device \(node.number)")
    }
    let asked = (256..<288).map { Int32($0) }
    let reply = try await nodes[1].ask(asked)
    let expected = try #require(world.ask(1, rows: asked).concluded)
    #expect(reply.devices == devices && reply.answers == expected.0)
    #expect(reply.classes == asked.map { Int(rows[0].labels[Int($0)]) })
    // Somebody from outside is told the same.
    let client = SplitClient(keys: SplitFlock.keys(99), group: SplitFlock.loops)
    // Between its steps the client waits for a thread, and other tests may keep all of them busy for long.
    let outside = try await client.ask(flock.address(0), asked, within: .minutes(5))
    #expect(outside.devices == devices && outside.step == plan.steps)
    for index in 0..<outside.answers.count {
      #expect(abs(outside.answers.array[index] - reply.answers.array[index]) < 1e-5, "seed \(seed)")
    }
    await #expect(throws: SplitRefusal.self) { try await client.ask(flock.address(0), [9_999], within: .minutes(5)) }
    try await client.close()
    for node in nodes { try await node.close() }
  }

  @Test func `one of four devices goes in the middle: the rest go on at once, and answer; it comes back and catches up`()
    async throws
  {
    let seed: UInt64 = 22
    let rows = SplitScene.rows(devices: 4, width: 3, training: 256, tested: 64, seed: seed)
    var plan = SplitScene.plan(devices: 4, width: 3, steps: 1_000_000, seed: seed)
    plan.timing.longest = .seconds(5)
    let flock = try SplitFlock(plan, rows)
    var nodes = try await flock.startAll()
    for number in 0..<4 { try await flock.hears(number) { $0.step >= 20 } }
    let checkpoint = try await nodes[2].checkpoint()
    try await nodes[2].close()
    let step = flock.events(0).step
    for number in [0, 1, 3] {
      try await flock.hears(number) { $0.step >= step + 50 }
      #expect(flock.events(number).contains { if case .disconnected(2) = $0 { true } else { false } })
    }
    // Within the longest wait for one message, without being told who is gone, no fifty steps would have ended.
    let reply = try await nodes[0].ask((256..<320).map { Int32($0) })
    #expect(reply.devices == 3 && reply.answers.isFinite, "seed \(seed)")
    let before = flock.events(2).count
    nodes[2] = try await flock.make(2, checkpoint: checkpoint, life: 1)
    try await flock.start(nodes[2])
    try await flock.hears(2) { events in
      let life = Array(events.dropFirst(before))
      return life.step > step && life.contains { if case .jumped(let from, _) = $0 { from >= 20 } else { false } }
    }
    let again = try await nodes[2].ask((256..<320).map { Int32($0) })
    #expect(again.devices >= 2 && again.step > step, "seed \(seed)")
    for node in nodes { try await node.close() }
  }

  @Test func `a device with another plan is refused, with both fingerprints and what to do`() async throws {
    let rows = SplitScene.rows(devices: 2, width: 2, training: 64, tested: 8, seed: 1)
    let plan = SplitScene.plan(devices: 2, width: 2, steps: 10, seed: 1)
    var other = plan
    other.batch = 16
    let flock = try SplitFlock(plan, rows)
    let first = try await flock.make(0)
    try await flock.start(first)
    let second = try await flock.make(1, plan: other)
    try await flock.start(second)
    try await flock.hears(0) { $0.problems.contains { $0.contains("give both the same session file") } }
    try await flock.hears(1) { $0.problems.contains { $0.contains("device 0 does not listen") } }
    let seen = try await first.snapshot()
    #expect(seen.present.isEmpty && seen.step == 0)
    for node in [first, second] { try await node.close() }
  }

  @Test func `a hello, a question and a message that are begun and never finished end`() async throws {
    let rows = SplitScene.rows(devices: 2, width: 2, training: 64, tested: 8, seed: 1)
    let flock = try SplitFlock(SplitScene.plan(devices: 2, width: 2, steps: 10, seed: 1), rows)
    let node = try await flock.make(0) {
      $0.gathering = .minutes(10)
      $0.silence = .patient(0.2)
      $0.upkeep = .milliseconds(20)
      $0.questions = 2
    }
    try await flock.start(node)
    let transport = Transport(identity: SplitFlock.keys(1), group: loops, delegate: Watcher { _ in Deaf() })
    let link = try await transport.dial(flock.address(0)).get()
    let hello = SplitFrame.hello(SplitHello(device: 1, plan: node.fingerprint)).encode()
    for (name, bytes) in [
      (SplitFrame.protocolID, []), (SplitFrame.protocolID, MessageFraming.frame(hello) + [9]), (SplitFrame.askProtocolID, []),
      (SplitFrame.askProtocolID, [9, 1]),
    ] {
      let stream = try await WaitingStream.open(link, [name])
      if !bytes.isEmpty { try await stream.write(bytes) }
      // Whatever it says before, it ends the stream.
      await #expect(throws: ConnectionError.self, "\(name) \(bytes)") { try await stream.read(1 << 20) }
    }
    // Four streams without a question were no more than there may be, and none of them counts any more.
    for _ in 0..<8 {
      let stream = try await WaitingStream.open(link, [SplitFrame.askProtocolID])
      await #expect(throws: ConnectionError.self) { try await stream.read(1) }
    }
    try await transport.close().get()
    try await node.close()
  }

  @Test func `who sends what cannot be read, or no numbers, is counted and shut out; who takes a device's number is not heard`()
    async throws
  {
    let rows = SplitScene.rows(devices: 2, width: 2, training: 64, tested: 8, seed: 1)
    let plan = SplitScene.plan(devices: 2, width: 2, steps: 10, seed: 1)
    let flock = try SplitFlock(plan, rows)
    let node = try await flock.make(0) {
      $0.gathering = .minutes(10)
      $0.strikes = 2.5
    }
    try await flock.start(node)
    let print = node.fingerprint
    func attempt(_ keys: KeyPair, _ frames: [[UInt8]]) async throws -> [UInt8] {
      let transport = Transport(identity: keys, group: loops, delegate: Watcher())
      let link = try await transport.dial(flock.address(0)).get()
      let stream = try await WaitingStream.open(link, [SplitFrame.protocolID])
      for frame in frames { try await stream.write(MessageFraming.frame(frame)) }
      let answer = try? await stream.read(frames.count == 1 ? 60 : 1 << 20)
      try await transport.close().get()
      return answer ?? []
    }
    let hello = SplitFrame.hello(SplitHello(device: 1, plan: print)).encode()
    // Another peer than device 1's.
    let thief = try await attempt(SplitFlock.keys(7), [hello])
    #expect(String(decoding: thief, as: UTF8.self).contains("device 1 is"))
    let poison = SplitFrame.message(.outputs(.step(0), stage: 0, Matrix(rows: 1, columns: 2, [1, .nan]))).encode()
    for (count, frames) in [(1, [hello, [0xff, 0xff]]), (2, [hello, poison]), (3, [poison])] {
      _ = try? await attempt(SplitFlock.keys(1), frames)
      let seen = try await node.snapshot()
      #expect(seen.unreadable == count)
    }
    try await flock.hears(0) { $0.problems.contains { $0.contains("shut out") } }
    try await node.close()
  }
}
