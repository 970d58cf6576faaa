import MurmurCompute
import Peak

/// Answers one request per line, so that a driver can interleave these measurements with those of another program:
///
///     train ARCHITECTURE BATCH SECONDS     samples per wall second and per CPU second, Adam
///     infer ARCHITECTURE BATCH SECONDS     the same, forward only
///     product SIZE SECONDS                 GFLOP per second of a square matrix product
///     codec ARCHITECTURE SECONDS           safetensors files encoded and decoded per second
///     allocations ARCHITECTURE BATCH       allocations during 10 epochs of training, after the first
///     export ARCHITECTURE ROWS FOLDER      see lenet-check.py
///     peak                                 GFLOP per second of register-only fused multiply-adds
@main
struct Bench {
  static func main() throws {
    while let line = readLine() {
      let words = line.split(separator: " ").map(String.init)
      switch words.first {
      case "train": try train(words[1], batch: Int(words[2])!, seconds: Double(words[3])!)
      case "infer": try infer(words[1], batch: Int(words[2])!, seconds: Double(words[3])!)
      case "product": product(Int(words[1])!, seconds: Double(words[2])!)
      case "codec": try codec(words[1], seconds: Double(words[2])!)
      case "allocations": try allocations(words[1], batch: Int(words[2])!)
      case "export": try export(words[1], Int(words[2])!, to: words[3])
      case "peak": print("{\"percpu\":\(murmur_peak()),\"kernels\":\"\(Kernels.selected)\"}")
      default: print("{}")
      }
      flush()
    }
  }

  /// Repeats `body` for that long; `amount` is what one call does.
  static func measure(_ seconds: Double, amount: Double, _ body: () -> Void) {
    body()
    let clock = ContinuousClock()
    let begin = clock.now
    let before = murmur_thread_seconds()
    var calls = 0
    var turns = 1
    while clock.now - begin < .seconds(seconds) {
      for _ in 0..<turns { body() }
      calls += turns
      if turns < 64 { turns *= 2 }
    }
    let wall = (clock.now - begin) / .seconds(1)
    let cpu = murmur_thread_seconds() - before
    print("{\"rate\":\(Double(calls) * amount / wall),\"percpu\":\(Double(calls) * amount / cpu)}")
  }

  static func rows(_ architecture: Architecture, _ count: Int) -> Samples {
    var state: UInt64 = 1
    func next() -> Float {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 32)) / 0x1p30
    }
    let features = (0..<count * architecture.inputs).map { _ in next() }
    let labels = (0..<count).map { _ in Int32(abs(Int(next() * 1_000))) % Int32(architecture.outputs) }
    return Samples(features: features, width: architecture.inputs, labels: labels, classes: architecture.outputs)
  }

  static func train(_ text: String, batch: Int, seconds: Double) throws {
    let architecture = try Architecture(parsing: text)
    let samples = rows(architecture, 16 * batch)
    let trainer = Trainer(architecture, batch: batch)
    var parameters = architecture.initialParameters(seed: 1)
    var optimizer = OptimizerState(.adam(), count: architecture.parameterCount)
    let order = (0..<Int32(samples.count)).map { $0 }
    measure(seconds, amount: Double(samples.count)) {
      _ = trainer.train(&parameters, &optimizer, rate: 0.001, on: samples, order: order, batch: batch)
    }
  }

  static func allocations(_ text: String, batch: Int) throws {
    let architecture = try Architecture(parsing: text)
    let samples = rows(architecture, 16 * batch)
    let trainer = Trainer(architecture, batch: batch)
    var parameters = architecture.initialParameters(seed: 1)
    var optimizer = OptimizerState(.adam(), count: architecture.parameterCount)
    let order = (0..<Int32(samples.count)).map { $0 }
    var before = 0
    for epoch in 0..<11 {
      if epoch == 1 { before = murmur_allocations() }
      _ = trainer.train(&parameters, &optimizer, rate: 0.001, on: samples, order: order, batch: batch)
      _ = trainer.evaluate(parameters, on: samples)
    }
    let count = murmur_allocations() - before
    print("{\"allocations\":\(count),\"steps\":160,\"ever\":\(murmur_allocations())}")
  }

  static func infer(_ text: String, batch: Int, seconds: Double) throws {
    let architecture = try Architecture(parsing: text)
    let samples = rows(architecture, 16 * batch)
    let trainer = Trainer(architecture, batch: batch)
    let parameters = architecture.initialParameters(seed: 1)
    var next = 0
    measure(seconds, amount: Double(batch)) {
      _ = trainer.outputs(of: parameters, on: samples, rows: next..<next + batch)
      next = (next + batch) % samples.count
    }
  }

  static func product(_ size: Int, seconds: Double) {
    let product = MatrixProduct()
    let a = (0..<size * size).map { Float($0 % 17) - 8 }
    let b = (0..<size * size).map { Float($0 % 13) - 6 }
    var c = [Float](repeating: 0, count: size * size)
    measure(seconds, amount: 2e-9 * Double(size * size * size)) {
      product.multiply(a, b, into: &c, rows: size, columns: size, depth: size)
    }
  }

  static func codec(_ text: String, seconds: Double) throws {
    let architecture = try Architecture(parsing: text)
    let parameters = architecture.initialParameters(seed: 1)
    let bytes = SafeTensors.encode(parameters, architecture)
    measure(seconds, amount: 1) { _ = SafeTensors.encode(parameters, architecture) }
    measure(seconds, amount: 1) { _ = try? SafeTensors.decode(bytes) }
    measure(seconds, amount: 1) { _ = try? SafeTensors.decode(bytes, expected: architecture) }
  }
}

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Sends what was printed on its way.
func flush() { fflush(nil) }
