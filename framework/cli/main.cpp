#include "framework/cli/command.hpp"

int main(int argc, char** argv) { return forkloom::cli::run_command(argc, argv); }
