import MurmurCompute
import MurmurMachines
import MurmurSplit
import Testing

@Suite struct GraphTests {
  @Test func `known graphs have the links they are known for`() {
    #expect(DeviceGraph.complete(5).links.count == 10)
    #expect(DeviceGraph.ring(5).neighbours == [[1, 4], [0, 2], [1, 3], [2, 4], [0, 3]])
    #expect(DeviceGraph.line(4).neighbours == [[1], [0, 2], [1, 3], [2]])
    #expect(DeviceGraph.star(4).neighbours == [[1, 2, 3], [0], [0], [0]])
    #expect(DeviceGraph.grid(4).neighbours == [[1, 2], [0, 3], [0, 3], [1, 2]])
    #expect(DeviceGraph.grid(7).isConnected)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>) func `random graphs hang together and have the degree that was wanted`(
    seed: UInt64
  ) {
    var chance = Chance(seed: seed)
    let near = DeviceGraph.geometric(40, degree: 4, chance: &chance)
    #expect(near.isConnected && near.links.count >= 80 && near.links.count < 100, "seed \(seed)")
    let rich = DeviceGraph.preferential(40, links: 2, chance: &chance)
    #expect(rich.isConnected && rich.links.count == 1 + 38 * 2, "seed \(seed)")
    #expect(rich.neighbours.map(\.count).max()! > 6, "seed \(seed)")
  }

  @Test func `messages take the least-cost path, and another one when a relay dies`() {
    let graph = DeviceGraph(
      devices: 4,
      links: [
        .init(0, 1, latency: .milliseconds(1)), .init(1, 3, latency: .milliseconds(1)), .init(0, 2, latency: .milliseconds(5)),
        .init(2, 3, latency: .milliseconds(5)),
      ])
    let whole = VirtualGraph(graph, .complete)
    #expect(whole.hop(from: 0, to: 3) == 1 && whole.neighbours[0] == [1, 2, 3])
    let wounded = VirtualGraph(graph, .complete, isAlive: [true, false, true, true])
    #expect(wounded.hop(from: 0, to: 3) == 2)
    let cut = VirtualGraph(graph, .complete, isAlive: [true, false, false, true])
    #expect(cut.hop(from: 0, to: 3) == nil && cut.hop(from: 0, to: 1) == 1)
    #expect(VirtualGraph(graph, .direct).neighbours[0] == [1, 2])
  }

  @Test(arguments: [1, 7, 64, 1_000]) func `an epoch walks every row once, in an order of its own`(rows: Int) {
    let schedule = Schedule(rows: rows, batch: 1, seed: 3)
    let first = (0..<rows).flatMap { schedule.rows(of: $0) }
    let second = (rows..<2 * rows).flatMap { schedule.rows(of: $0) }
    #expect(first.sorted() == (0..<Int32(rows)).map { $0 } && second.sorted() == first.sorted())
    if rows > 20 { #expect(first != second && first != first.sorted()) }
  }

  @Test func `faults are drawn alike at both ends, about as often as they should be`() {
    let chance = Chance(seed: 5).fork("trial")
    let masks = DrillMasks(Drill(devices: .fixed(0.25), links: .fixed(0.5)), devices: 8, rows: 2_000, chance: chance)
    #expect(masks.carries(2, 6, stage: 1, back: false) == masks.carries(6, 2, stage: 1, back: false))
    #expect(masks.carries(2, 6, stage: 1, back: false) != masks.carries(2, 6, stage: 1, back: true))
    let alive = (0..<8).reduce(0) { $0 + masks.isAlive($1).count(of: 2_000) }
    #expect((11_500...12_500).contains(alive))
    let carried = masks.carries(2, 6, stage: 1, back: false).count(of: 2_000)
    #expect((480...650).contains(carried), "both ends live and the link is up: 0.75² · 0.5")
    let two = DrillMasks(Drill(devices: .exactly(2)), devices: 4, rows: 50, chance: chance)
    for row in 0..<50 { #expect((0..<4).filter { two.isAlive($0)[row] }.count == 2) }
  }
}
