/**
 * The command line: arguments in, report out, exit code.
 *
 * <pre>{@code
 * args --> CommandLineTool --> Settings --> Scenario.run(settings, context) --> Report
 *              |                                |                                 |
 *              |                           RunContext { trace, progress }         |
 *              +--- exit code 0, 1 or 2 <--- stdout: text or JSON <---------------+
 * }</pre>
 *
 * <p>Standard output carries the report alone; progress, logs and errors go to standard error. Wall
 * time is read here and nowhere below. Not provided: several runs in one process, configuration
 * files.
 */
@NullMarked
package io.github.bellwire.examples.cli;

import org.jspecify.annotations.NullMarked;
