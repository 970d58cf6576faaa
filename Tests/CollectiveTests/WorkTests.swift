import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurIdentity
import MurmurMachines
import MurmurSessions
import MurmurWire
import Testing

@Suite("One job of a work cycle")
struct WorkTests {
  let architecture: Architecture
  let rows: Work.Rows

  init() throws {
    architecture = try Architecture(parsing: "4-8-3")
    var chance = Chance(seed: 5)
    var features: [Float] = []
    var labels: [Int32] = []
    for row in 0..<60 {
      let label = row % 3
      features += (0..<4).map { Float($0 == label ? 2 : 0) + Float(chance.normal()) * 0.3 }
      labels.append(Int32(label))
    }
    rows = Work.Rows(
      samples: Samples(features: features, width: 4, labels: labels, classes: 3), training: Array(0..<48),
      validation: Array(48..<60))
  }

  func work(seed: UInt64 = 1, models: [Work.Fetched] = [], epochs: Int = 10, adoption: Session.Averaging.Adoption = .always)
    -> Work
  {
    var averaging = Session.Averaging()
    averaging.adoption = adoption
    return Work(
      architecture: architecture, parameters: architecture.initialParameters(seed: seed),
      optimizer: OptimizerState(.adam(), count: architecture.parameterCount), rows: rows, models: models, averaging: averaging,
      epochs: epochs, batch: 8, rate: 0.02, shuffle: 3)
  }

  func fetched(_ parameters: ParameterVector, from peer: Int, architecture: Architecture? = nil) -> Work.Fetched {
    let file = SafeTensors.encode(parameters, architecture ?? self.architecture, metadata: [:])
    return Work.Fetched(
      peer: PeerID(simulated: peer), root: CID(codec: .raw, hashing: file), file: file, rows: 10, loss: 1)
  }

  @Test("the same job gives the same model address on any workbench, used before or not")
  func deterministic() {
    let used = Workbench()
    _ = work(seed: 9).run(on: used)
    let first = work().run(on: used)
    let second = work().run(on: Workbench())
    #expect(first.object?.root == second.object?.root)
    #expect(first.evaluation == second.evaluation)
    #expect(first.evaluation.accuracy > 0.8, "sixty easy rows and ten passes are enough to learn something")
  }

  @Test("what is not a model of this session is refused, named and harmless")
  func hostileModels() throws {
    let other = try Architecture(parsing: "4-9-3")
    var broken = architecture.initialParameters(seed: 4)
    broken.scale(by: .infinity)
    var garbage = fetched(architecture.initialParameters(seed: 4), from: 3)
    garbage.file = Array(garbage.file.prefix(20))
    let liars = [fetched(other.initialParameters(seed: 1), from: 1, architecture: other), fetched(broken, from: 2), garbage]
    let result = work(models: liars, epochs: 0).run(on: Workbench())
    #expect(Set(result.rejected.map(\.peer)) == Set([1, 2, 3].map(PeerID.init(simulated:))) && result.rejected.count == 3)
    #expect(result.averaged == 0 && !result.adopted && result.object == nil)
    #expect(result.parameters == architecture.initialParameters(seed: 1))
  }

  @Test("a worse average is not adopted where only better ones are, and is where all are")
  func adoption() {
    let trained = work().run(on: Workbench()).parameters
    var bad = trained
    bad.scale(by: -1)
    for (rule, adopted) in [(Session.Averaging.Adoption.ifBetter, false), (.always, true)] {
      var job = work(models: [fetched(bad, from: 1), fetched(bad, from: 2)], epochs: 0, adoption: rule)
      job.parameters = trained
      let result = job.run(on: Workbench())
      #expect(result.adopted == adopted, "\(rule)")
      #expect((result.object != nil) == adopted, "an unchanged model is not stored again")
    }
  }

  @Test("a newcomer's untrained model does not enter the average")
  func newcomer() {
    let trained = work().run(on: Workbench()).parameters
    var job = work(seed: 77, models: [fetched(trained, from: 1)], epochs: 0)
    job.own = .untrained
    #expect(job.run(on: Workbench()).parameters == trained)
  }
}
