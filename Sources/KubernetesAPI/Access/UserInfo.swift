internal import Documents

/// Who makes a request (authentication.k8s.io/v1 UserInfo).
public struct UserInfo: Sendable, Hashable {
  public var name: String
  /// Empty where nothing gives one.
  public var uid: String
  public var groups: [String]

  public init(name: String, uid: String = "", groups: [String] = []) {
    self.name = name
    self.uid = uid
    self.groups = groups
  }

  /// Whoever reaches a gateway that asks for no credentials: the user of this machine, who may do everything.
  public static let local = UserInfo(name: "local", groups: [mastersGroup, authenticatedGroup])

  /// Whoever shows no credentials to a gateway that asks for them.
  public static let anonymous = UserInfo(name: "system:anonymous", groups: [unauthenticatedGroup])

  /// The members of this group may do everything, whatever the policy says.
  public static let mastersGroup = "system:masters"
  public static let authenticatedGroup = "system:authenticated"
  public static let unauthenticatedGroup = "system:unauthenticated"

  public var isAnonymous: Bool { groups.contains(UserInfo.unauthenticatedGroup) }
  public var isMaster: Bool { groups.contains(UserInfo.mastersGroup) }

  /// The user as one that has proved it: a member of `system:authenticated` too, and never of `system:unauthenticated`.
  var authenticated: UserInfo {
    var user = self
    user.groups.removeAll { [UserInfo.authenticatedGroup, UserInfo.unauthenticatedGroup].contains($0) }
    user.groups.append(UserInfo.authenticatedGroup)
    return user
  }

  /// As a review's status has it.
  var json: JSONValue {
    var json: JSONValue = ["username": .string(name), "groups": .array(groups.map(JSONValue.string))]
    if !uid.isEmpty { json["uid"] = .string(uid) }
    return json
  }
}
