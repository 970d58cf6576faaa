import MurmurCompute
import MurmurMachines
import MurmurSplit

/// What came of the questions of one level so far.
struct SplitTally {
  private let setup: SplitSetup
  private var (count, correct, own, ownCorrect, asked, askedCorrect) = (0, 0, 0, 0, 0, 0)
  private var (loss, squares, ownLoss, askedLoss) = (0.0, 0.0, 0.0, 0.0)
  private var (questions, living, lives, samples) = (0, 0, 0, 0)
  private var waited = 0.0

  init(_ setup: SplitSetup) { self.setup = setup }

  /// Takes the answers to a question in.
  mutating func take(_ answers: SplitAnswers, rows: Range<Int>, asker: Int, isAlive: (Int) -> Bool) {
    questions += 1
    samples += rows.count
    waited += answers.time.seconds
    for number in 0..<setup.devices where isAlive(number) {
      living += answers.masks.isAlive(number).count(of: rows.count)
      lives += rows.count
    }
    let given = answers.own.enumerated().compactMap { number, values in
      values.map { (answer: $0, mask: answers.masks.isAlive(number)) }
    }
    let mean = Answers.mean(given)
    let isAnswered = rows.indices.map { row in mean != nil && given.contains { $0.mask[row - rows.lowerBound] } }
    let concluded = answers.concluded.map { (answer: $0.answer, mask: answers.masks.isAlive(asker)) }
    // Who asked and got no answer has none that is right.
    if concluded == nil, setup.classes > 0 { asked += answers.masks.isAlive(asker).count(of: rows.count) }
    if setup.classes > 0 {
      takeClasses(rows, mean, isAnswered, given, concluded)
    } else {
      takeNumbers(rows, mean, isAnswered, given, concluded)
    }
  }

  private mutating func note(_ value: Double) {
    count += 1
    loss += value
    squares += value * value
  }

  private mutating func takeClasses(
    _ rows: Range<Int>, _ mean: Matrix?, _ isAnswered: [Bool], _ given: [(answer: Matrix, mask: RowMask)],
    _ concluded: (answer: Matrix, mask: RowMask)?
  ) {
    let labels = rows.map { setup.samples.labels[$0] }
    // Where nobody lives, nobody knows more than how many classes there are.
    let blind = Portable.log(Double(max(2, setup.classes)))
    if let mean { correct += Answers.correct(mean, labels, mask: RowMask(isAnswered)) }
    for (row, label) in labels.enumerated() {
      note(isAnswered[row] ? mean.map { -Double($0[row, Int(label)]) } ?? blind : blind)
    }
    for (answer, mask) in given {
      own += mask.count(of: rows.count)
      ownCorrect += Answers.correct(answer, labels, mask: mask)
    }
    if let concluded {
      asked += concluded.mask.count(of: rows.count)
      askedCorrect += Answers.correct(concluded.answer, labels, mask: concluded.mask)
    }
  }

  private mutating func takeNumbers(
    _ rows: Range<Int>, _ mean: Matrix?, _ isAnswered: [Bool], _ given: [(answer: Matrix, mask: RowMask)],
    _ concluded: (answer: Matrix, mask: RowMask)?
  ) {
    for (row, number) in rows.enumerated() {
      let target = setup.targets[number]
      if target.isNaN { continue }
      func error(_ value: Float) -> Double {
        let error = Double(value - target) * setup.unit
        return error * error
      }
      // Where nobody lives, the mean of the training rows is said.
      note(error(isAnswered[row] ? mean.map { $0[row, 0] } ?? 0 : 0))
      for (answer, mask) in given where mask[row] {
        own += 1
        ownLoss += error(answer[row, 0])
      }
      if let concluded, concluded.mask[row] {
        asked += 1
        askedLoss += error(concluded.answer[row, 0])
      }
    }
  }

  /// What came of all of them.
  func risk(_ level: SplitLevel, messages: Int, bytes: Int, multiplyAdds: Int) -> SplitRisk {
    let (n, mean) = (Double(max(1, count)), loss / Double(max(1, count)))
    let share = lives == 0 ? 0 : Double(living) / Double(lives)
    let each = share / Double(max(1, samples))
    func over(_ sum: Double, _ count: Int) -> Double { count == 0 ? 0 : sum / Double(count) }
    return SplitRisk(
      level: level, count: count, correct: correct, loss: mean, deviation: max(0, squares / n - mean * mean).squareRoot(),
      ownAccuracy: over(Double(ownCorrect), own), askedAccuracy: over(Double(askedCorrect), asked), ownLoss: over(ownLoss, own),
      askedLoss: over(askedLoss, asked), isAnswered: own > 0, messages: Double(messages) / Double(max(1, questions)) * share,
      bytes: Double(bytes) * each, multiplyAdds: Double(multiplyAdds) * each,
      latency: .seconds(waited / Double(max(1, questions))))
  }
}
