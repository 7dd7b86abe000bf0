using Xunit;

// One fleet, one browser, one kernel: system tests judge time, processes and namespaces of the whole machine, so they take turns.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
