// Two processes that talk over pipes with stdio. What fputs() writes stays in the stream's buffer
// until it is flushed; whoever then waits for an answer waits for ever, as does the other one for
// the question (setvbuf(3): streams are fully buffered unless they are a terminal).
#include <cstdio>
#include <cstring>

#include "forkloom/ipc/pipe.hpp"
#include "forkloom/scenario.hpp"

namespace {

// fclose() closes a copy, so that the pipe itself keeps what it owns.
class stream {
 public:
  stream(int descriptor, const char* mode) : file_(::fdopen(::dup(descriptor), mode)) {}
  ~stream() { std::fclose(file_); }
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  void say(const char* line) { std::fputs(line, file_); }
  void flush() { std::fflush(file_); }
  bool hears(const char* line) {
    char heard[16] = {};
    return std::fgets(heard, sizeof heard, file_) != nullptr && std::strcmp(heard, line) == 0;
  }

 private:
  std::FILE* file_;
};

void ask(forkloom::ipc::pipe& questions, forkloom::ipc::pipe& answers, bool flushes) {
  stream out(questions.writer().native_handle(), "w");
  stream in(answers.reader().native_handle(), "r");
  out.say("ping\n");
  if (flushes) out.flush();
  forkloom::expect(in.hears("pong\n"));
}

void reply(forkloom::ipc::pipe& questions, forkloom::ipc::pipe& answers) {
  stream in(questions.reader().native_handle(), "r");
  stream out(answers.writer().native_handle(), "w");
  forkloom::expect(in.hears("ping\n"));
  out.say("pong\n");
  out.flush();
}

}  // namespace

FORKLOOM_SCENARIO("a question on a stream that is not flushed", "[stdio][pipe][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  forkloom::ipc::pipe questions;
  forkloom::ipc::pipe answers;
  scenario.process("asker", [&] { ask(questions, answers, false); });
  scenario.process("answerer", [&] { reply(questions, answers); });
}

FORKLOOM_SCENARIO("a question on a stream that is flushed", "[stdio][pipe][correct]") {
  forkloom::ipc::pipe questions;
  forkloom::ipc::pipe answers;
  scenario.process("asker", [&] { ask(questions, answers, true); });
  scenario.process("answerer", [&] { reply(questions, answers); });
}
