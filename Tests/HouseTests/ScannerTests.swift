import Testing

/// The scanner has to see code where there is code, and nowhere else: each story puts a word where it must or must not be seen.
@Suite("The scanner")
struct ScannerTests {
  private func sees(_ word: String, in text: String, _ language: Language = .swift) -> Bool {
    !Code(Scanner(text, language).code).occurrences(of: word).isEmpty
  }

  @Test(
    "Words in comments and strings are not code",
    arguments: [
      "// falcon", "/* falcon */", "/* one /* two */ falcon */", #"let a = "falcon""#, #"let a = "\"falcon""#,
      ##"let a = #"a "falcon" b"#"##,
      "let a = \"\"\"\n  a \"falcon\"\n  falcon\n  \"\"\"", ##"let a = #"\(falcon)"#"##, "let a = \"unfinished falcon",
    ])
  func hidden(_ text: String) {
    #expect(!sees("falcon", in: text), "\(text)")
  }

  @Test(
    "Code around and inside of strings stays code",
    arguments: [
      "falcon", "/* a */ falcon", #"let a = "b"; falcon"#, #"let a = "\(falcon)""#, #"let a = "\(f("x)") + falcon)""#,
      ##"let a = #"\#(falcon)"#"##,
      #"let a = "\\"; falcon"#, "let a = \"\"\"\n  \\(b ? \"c\" : falcon)\n  \"\"\"", "let a = \"\"\"\n  \"\n  \"\"\"\nfalcon",
      "a / falcon / b",
      "let a = \"unfinished\nfalcon",
    ])
  func visible(_ text: String) {
    #expect(sees("falcon", in: text), "\(text)")
  }

  @Test("C has characters, and comments that do not nest")
  func cLanguage() {
    #expect(sees("falcon", in: "char a = '\"'; falcon('\\'');", .c))
    #expect(sees("falcon", in: "/* a /* b */ falcon", .c))
    #expect(!sees("falcon", in: "char *a = \"falcon\"; // falcon", .c))
  }

  @Test("A word is not seen inside a longer one")
  func wholeWords() {
    #expect(!sees("random", in: "let randomly = pseudorandom"))
    #expect(sees(".random(", in: "Int.random(in: 0..<3)"))
    #expect(!sees("Thread", in: "let workerThreads = Threading()"))
  }

  @Test("Lines and lengths are those of the file")
  func positions() throws {
    let text = "let a = \"é\"\n/* ü\n*/ falcon\n"
    let code = Code(Scanner(text, .swift).code)
    #expect(code.count == text.utf8.count)
    #expect(code.line(try #require(code.occurrences(of: "falcon").first)) == 3)
    #expect(code.lineCount == 3)
    #expect(Scanner(text, .swift).comments.map(\.line) == [2, 3])
  }

  @Test("No text stops the scanner")
  func survivesNonsense() {
    let pieces = [
      "\"", "\"\"\"", "#", "\\(", ")", "/*", "*/", "//", "\n", "{", "}", "'", "\\", "é", "func f", "let a: [", "]", "=", ".",
    ]
    var state: UInt64 = 7
    for round in 0..<2_000 {
      var text = ""
      for _ in 0..<(round % 23) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text += pieces[Int(state >> 33) % pieces.count]
      }
      for language in [Language.swift, .c] {
        let code = Code(Scanner(text, language).code)
        #expect(code.count == text.utf8.count, "round \(round): \(text)")
        #expect(code.functions(language).allSatisfy { $0.length >= 1 }, "round \(round): \(text)")
      }
      let names = OrderRules.names(SourceFile("a.swift", text))
      #expect(OrderRules.check(SourceFile("a.swift", text), names: names).count <= text.utf8.count)
    }
  }
}

/// Functions are measured from their first word to their closing brace.
@Suite("Measuring functions")
struct FunctionTests {
  private func swift(_ text: String) -> [String] { list(text, .swift) }
  private func list(_ text: String, _ language: Language) -> [String] {
    Code(Scanner(text, language).code).functions(language).map { "\($0.name) \($0.length)" }
  }

  @Test("Bodies are found, whatever stands before them")
  func bodies() {
    #expect(swift("func a() {\n}\n") == ["a 2"])
    #expect(swift("func a(\n  b: Int = { 3 }()\n) throws -> [Int: {\n}") == [])
    #expect(swift("func a<B>(\n  b: (Int) -> B = { \"}\" }\n)\n  async throws -> [B]\nwhere B: C\n{\n  d()\n}") == ["a 8"])
    #expect(
      swift("init?(a: Int) { self.init(b: a) }\ndeinit { }\nsubscript(a: Int) -> Int { a }") == [
        "init 1", "deinit 1", "subscript 1",
      ])
    #expect(swift("static func < (a: A, b: A) -> Bool {\n  a.b < b.b\n}") == ["< 3"])
  }

  @Test("What has no body has no length")
  func noBodies() {
    #expect(swift("protocol A {\n  func b()\n  init()\n  var c: Int { get }\n}\nstruct D {\n}") == ["c 1"])
    #expect(swift("let a = A.init(b)\nvar c = d {\n}\nif var e {\n}\nguard case .f(var g) = h else {\n}") == [])
    #expect(swift("protocol A {\n  func b() -> Int\n}\nextension A {\n  func c() {\n  }\n}") == ["c 2"])
  }

  @Test("Properties with bodies count, stored ones do not")
  func properties() {
    #expect(
      swift("var a: Int {\n  3\n}\nvar b: [Int: Int] = [:]\nvar c = 3 {\n  didSet { }\n}\nvar d: Int\nfunc e() {\n}") == [
        "a 3", "e 2",
      ])
  }

  @Test("C functions, macros that name them, and braces that are none")
  func cFunctions() {
    let text = """
      #define BODY(x) { \\
        x }
      struct a { int b; };
      static const int c[] = {1, 2};
      static inline void
      d(int e) {
        if (e) { }
      }
      void K(product)(long m,
                      long n) {
        for (;;) { }
      }
      """
    #expect(list(text, .c) == ["d 4", "K(product) 4"])
  }
}
