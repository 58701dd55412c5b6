// LEMON's network simplex on one instance: lemon network-simplex INSTANCE ANSWER. The formats of both files stand in
// instance.rs, that of the printed line in measure.rs. Its cost scaling was two to five times slower and is left out.
//
// The network: every executive supplies one unit, every mentor passes on as many as there are places to a sink; where not
// everybody can be covered, an arc of the penalty goes from each executive straight to the sink.

#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Graph = lemon::SmartDigraph;

// As in measure.rs.
constexpr double REPEAT_SECONDS = 0.1;

struct Instance {
    uint32_t penalty;
    bool coverable;
    std::vector<uint32_t> capacities;
    std::vector<uint64_t> starts;
    std::vector<uint32_t> mentors;
    std::vector<uint16_t> costs;
};

double cpu_seconds() {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

long memory_kb(const std::string &field) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.compare(0, field.size(), field) == 0) return std::stol(line.substr(field.size()));
    }
    throw std::runtime_error("/proc/self/status has no " + field);
}

template <typename Number>
std::vector<Number> numbers(std::istream &file, size_t count) {
    std::vector<Number> read(count);
    file.read(reinterpret_cast<char *>(read.data()), std::streamsize(count * sizeof(Number)));
    return read;
}

Instance read_instance(const char *path) {
    std::ifstream file(path, std::ios::binary);
    file.exceptions(std::ios::failbit | std::ios::badbit);
    if (std::memcmp(numbers<char>(file, 8).data(), "UPDRAFT1", 8) != 0) throw std::runtime_error("not an instance");
    const auto people = numbers<uint32_t>(file, 2);
    const auto pairs = numbers<uint64_t>(file, 1)[0];
    const auto words = numbers<uint32_t>(file, 2);
    Instance instance{words[0], words[1] == 1, {}, {}, {}, {}};
    instance.capacities = numbers<uint32_t>(file, people[1]);
    instance.starts = numbers<uint64_t>(file, people[0] + size_t(1));
    instance.mentors = numbers<uint32_t>(file, pairs);
    instance.costs = numbers<uint16_t>(file, pairs);
    return instance;
}

// The graph, with the arcs of the pairs first and in their order, so that the arc of a pair is found by its index.
struct Network {
    Graph graph;
    Graph::ArcMap<int> upper{graph};
    Graph::ArcMap<int64_t> costs{graph};
    Graph::NodeMap<int> supplies{graph};

    explicit Network(const Instance &instance) {
        const size_t executives = instance.starts.size() - 1, mentors = instance.capacities.size();
        graph.reserveNode(int(executives + mentors + 1));
        graph.reserveArc(int(instance.mentors.size() + executives + mentors));
        for (size_t node = 0; node <= executives + mentors; ++node) graph.addNode();
        const Graph::Node sink = node_of(executives + mentors);
        for (size_t executive = 0; executive < executives; ++executive) {
            supplies[node_of(executive)] = 1;
            for (uint64_t pair = instance.starts[executive]; pair < instance.starts[executive + 1]; ++pair) {
                add(node_of(executive), node_of(executives + instance.mentors[pair]), 1, instance.costs[pair]);
            }
        }
        for (size_t executive = 0; executive < executives && !instance.coverable; ++executive) {
            add(node_of(executive), sink, 1, instance.penalty);
        }
        for (size_t mentor = 0; mentor < mentors; ++mentor) {
            add(node_of(executives + mentor), sink, int(instance.capacities[mentor]), 0);
        }
        supplies[sink] = -int(executives);
    }

    static Graph::Node node_of(size_t index) { return Graph::nodeFromId(int(index)); }

    void add(Graph::Node from, Graph::Node to, int capacity, int64_t cost) {
        const Graph::Arc arc = graph.addArc(from, to);
        upper[arc] = capacity;
        costs[arc] = cost;
    }
};

// Returns whether each pair is chosen.
std::vector<bool> chosen(const Network &network, size_t pairs) {
    using Solver = lemon::NetworkSimplex<Graph, int, int64_t>;
    Solver solver(network.graph);
    solver.upperMap(network.upper).costMap(network.costs).supplyMap(network.supplies);
    if (solver.run() != Solver::OPTIMAL) throw std::runtime_error("no optimal flow");
    std::vector<bool> flows(pairs);
    for (size_t pair = 0; pair < pairs; ++pair) flows[pair] = solver.flow(Graph::arcFromId(int(pair))) > 0;
    return flows;
}

void write_answer(const char *path, const Instance &instance, const std::vector<bool> &flows) {
    std::vector<int32_t> answer(instance.starts.size() - 1, -1);
    for (size_t executive = 0; executive < answer.size(); ++executive) {
        for (uint64_t pair = instance.starts[executive]; pair < instance.starts[executive + 1]; ++pair) {
            if (flows[pair]) answer[executive] = int32_t(instance.mentors[pair]);
        }
    }
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char *>(answer.data()), std::streamsize(answer.size() * sizeof(int32_t)));
    if (!file.flush()) throw std::runtime_error("the answer could not be written");
}

void drive(const char *path, const char *answer) {
    const long bare_kb = memory_kb("VmRSS:");
    const double begun = cpu_seconds();
    auto instance = std::make_unique<Instance>(read_instance(path));
    const double loaded = cpu_seconds();
    const Network network(*instance);
    const size_t pairs = instance->mentors.size();
    instance.reset();
    const double built = cpu_seconds();
    std::vector<bool> flows;
    double solved = built;
    int times = 0;
    for (; solved - built < REPEAT_SECONDS; solved = cpu_seconds(), ++times) {
        flows = chosen(network, pairs);
    }
    const long memory = memory_kb("VmHWM:") - bare_kb;
    write_answer(answer, read_instance(path), flows);
    std::printf("load_s=%.9f build_s=%.9f solve_s=%.9f memory_kb=%ld\n", loaded - begun, built - loaded,
                (solved - built) / times, memory);
}

}  // namespace

int main(int count, char **words) {
    try {
        if (count != 4 || std::strcmp(words[1], "network-simplex") != 0) {
            throw std::runtime_error("lemon network-simplex INSTANCE ANSWER");
        }
        drive(words[2], words[3]);
        return 0;
    } catch (const std::exception &failure) {
        std::cerr << failure.what() << '\n';
        return 1;
    }
}
