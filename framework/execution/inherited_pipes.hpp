// Pipes, FIFOs and sockets that the scenario makes before its processes are forked. The processes
// inherit them; the controller must not keep them, or no reader would ever see the end of the data.
#pragma once

namespace forkloom::execution {

// From now on descriptors noted by note_inherited_pipe() are remembered. Forgets the earlier ones.
void hold_inherited_pipes() noexcept;

// The interception of pipe(), open(), socket() and their kin tells here what the controller opened.
void note_inherited_pipe(int descriptor) noexcept;

// Puts /dev/null in the place of each remembered descriptor: its number stays valid, so whoever
// owns it may close it as ever, but this process no longer has it open.
void release_inherited_pipes() noexcept;

}  // namespace forkloom::execution
