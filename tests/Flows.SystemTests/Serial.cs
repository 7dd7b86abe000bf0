using Xunit.Sdk;
using Xunit.v3;

// One fleet, one browser, one kernel: system tests judge time, processes and namespaces of the whole machine, so they take turns.
[assembly: Parallelization(Mode = ParallelMode.None)]
