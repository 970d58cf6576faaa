import MurmurScenario
import Testing

@Test func defaultsPrintAndReadBack() throws {
  let scenario = Scenario()
  print(scenario.yaml)
  #expect(try Scenario(yaml: scenario.yaml, file: "x.yaml") == scenario)
}
