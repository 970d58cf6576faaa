import MurmurMachines
import MurmurScenario
import Testing

@Suite("Sessions squeezed into seconds")
struct ShortCycleTests {
  @Test("A peer is offline for the share that the plan says, however short a cycle is", arguments: [20, 125, 1_000, 60_000])
  func share(cycle: Int) throws {
    let length = Instant.Span.milliseconds(Double(cycle) * 400)
    let scenario = try Scenario(yaml: "faults: [{offline: {probability: 40 %}}]", file: "f.yaml")
    let forecast = Forecast(
      scenario.faults, peers: 5, length: length, cycle: .milliseconds(Double(cycle)), chance: Chance(seed: 4).fork("faults"))
    var offline = 0.0
    for peer in 0..<5 {
      for span in try #require(forecast.offline(peer: peer, fault: 0)) { offline += (span.upperBound - span.lowerBound).seconds }
    }
    let share = offline / length.seconds / 5
    #expect(abs(share - 0.4) < 0.05, "seed 4, cycle \(cycle) ms: \(share)")
  }
}
