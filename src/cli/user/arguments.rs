//! What can be typed after `doorward user`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};

use crate::user::{Email, NameError, Role, Roles, Username};

/// Manage accounts.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account; its password is asked for, or is the first line of standard input
    Add(Add),
    /// List accounts, oldest first
    List(List),
    /// Show one account
    Show(Show),
    /// Set a password, asked for or the first line of standard input; ends all sessions of the user
    SetPassword(Named),
    /// Change roles; ends all sessions of the user
    Roles(ChangeRoles),
    /// Close an account; ends all sessions of the user
    Disable(Named),
    /// Open a closed account again
    Enable(Named),
    /// Remove an account for good; ends all sessions of the user
    Remove(Named),
    /// Take over accounts from a file: CSV with a head, a JSON array, or one JSON object a line; also
    /// the exports of Supabase (`auth.users`), Auth0 and InsForge
    Import(Import),
}

/// `doorward user add`
#[derive(Clone, Debug, Args)]
pub struct Add {
    /// The address of the account
    pub email: Email,
    /// Another name to sign in with
    #[arg(long)]
    pub username: Option<Username>,
    /// A role; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<Role>,
    /// The address is known to belong to the user
    #[arg(long)]
    pub verified: bool,
}

/// `doorward user list`
#[derive(Clone, Debug, Args)]
pub struct List {
    /// Part of an address or user name, or the start of an id
    #[arg(long, default_value = "")]
    pub search: String,
    /// One JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `doorward user show`
#[derive(Clone, Debug, Args)]
pub struct Show {
    /// Id, address or user name
    pub user: String,
    /// JSON instead of lines for people
    #[arg(long)]
    pub json: bool,
}

/// A command about one account.
#[derive(Clone, Debug, Args)]
pub struct Named {
    /// Id, address or user name
    pub user: String,
}

/// `doorward user roles`
#[derive(Clone, Debug, Args)]
pub struct ChangeRoles {
    /// Id, address or user name
    pub user: String,
    /// What to change
    #[command(flatten)]
    pub change: RoleChange,
}

/// What becomes of the roles of an account; something must be said.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true)]
pub struct RoleChange {
    /// These and no others, separated by commas; '' for none
    #[arg(long, value_name = "ROLES", conflicts_with_all = ["add", "remove"])]
    pub set: Option<RoleList>,
    /// Roles to add, separated by commas
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    pub add: Vec<Role>,
    /// Roles to take away, separated by commas
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    pub remove: Vec<Role>,
}

/// `doorward user import`
#[derive(Clone, Debug, Args)]
pub struct Import {
    /// The file
    pub file: PathBuf,
    /// Say what would be added and refused, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// A column or field to pass over; may be given several times
    #[arg(long, value_name = "COLUMN")]
    pub ignore: Vec<String>,
}

/// Roles separated by commas, possibly none.
#[derive(Clone, Debug)]
pub struct RoleList(pub Roles);

impl FromStr for RoleList {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = text.split(',').filter(|_| !text.trim().is_empty());
        words.map(Role::parse).collect::<Result<_, _>>().map(Self)
    }
}
